"""Service keys that are brought in, and service keys that end: by several people, after a time, and for good."""

import base64
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import keywrap

from kms.errors import HsmGone, KeyLost
from kms.keyring import Item, ServiceKeyRequest
from kms.keyring.destroy import KIND, DestroyContent
from kms.keyring.errors import (
    ImportNotOpened,
    ImportUnknown,
    NotEnding,
    ServiceKeyDestroyed,
    ServiceKeyEnding,
    ServiceKeyTaken,
)
from kms.keyring.find import key_of
from kms.keyring.models import ImportRow, ServiceKeyRow, ServiceKeyVersionRow
from kms.models import Place
from tests.support.openssl import openssl
from yinxin.crypto import operations
from yinxin.crypto.key_import import METHODS, open_import, wrap_for_import
from yinxin.crypto.operations import KINDS

from .conftest import KEEPER, OFFICER, World
from .test_keyring_crash import killed, opens, sealed
from .test_remote import remote

NAME = "hrss.records"
SECRET = bytes(range(32))


def wanted(algorithm="aes-256-gcm", **more):
    return ServiceKeyRequest(NAME, "o-office", "records", algorithm, **more)


def use(world, operation, **item):
    return world.centre.keyring.use(KEEPER, NAME, operation, Item(**item))


# --- bringing in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("algorithm", ["aes-256-gcm", "ecdsa-p256", "sm2-signing"])
@pytest.mark.engines("any")
def test_a_key_is_brought_in_and_is_the_very_one(world, method, algorithm):
    """What it sealed or signed outside is opened or verified here."""
    kind = KINDS[algorithm]
    secret, spki = operations.generate(kind)
    secret = bytes(bytearray(secret))
    keyring = world.centre.keyring
    begun = keyring.begin_import(OFFICER, wanted(algorithm), method)
    wrapped = wrap_for_import(method, begun.spki, secret, begun.id)
    assert secret not in wrapped
    assert keyring.finish_import(OFFICER, begun.id, wrapped).name == NAME
    ((version, _),) = keyring.versions(OFFICER, NAME)
    assert (version.imported, version.spki) == (True, spki)
    if spki is not None:
        use(world, "verify", data=b"x", given=operations.sign(kind, secret, b"x"))
    else:
        assert use(world, "decrypt", ciphertext=use(world, "encrypt", data=b"x").ciphertext).octets == b"x"
    events = world.events("kms.import-service-key")
    assert [each["outcome"] for each in events] == ["intent", "done"]
    for form in (secret.hex(), base64.b64encode(secret).decode()):
        assert form not in str(events)
    for file in world.root.rglob("*.sqlite*"):
        assert secret not in file.read_bytes()
    with pytest.raises(ImportUnknown):
        keyring.finish_import(OFFICER, begun.id, wrapped)


@pytest.mark.engines("any")
def test_what_does_not_open_leaves_the_import_open(world):
    """Seen to fail when an import is used up by the first try."""
    keyring = world.centre.keyring
    for method in METHODS:
        begun = keyring.begin_import(OFFICER, wanted(), method)
        right = wrap_for_import(method, begun.spki, SECRET, begun.id)
        short = wrap_for_import(method, begun.spki, SECRET[:16], begun.id)
        for wrong in (right[:-1], right + b"x", bytes(len(right)), b"x", short):
            with pytest.raises(ImportNotOpened):
                keyring.finish_import(OFFICER, begun.id, wrong)
        for place in range(0, len(right), max(1, len(right) // 23)):
            changed = bytes(each ^ (1 if n == place else 0) for n, each in enumerate(right))
            with pytest.raises(ImportNotOpened):
                keyring.finish_import(OFFICER, begun.id, changed)
    keyring.finish_import(OFFICER, begun.id, right)


def test_of_many_who_finish_one_import_at_once_one_does(either):
    """The same wrapped key sixteen times in parallel."""
    world, keyring = either, either.centre.keyring
    begun = keyring.begin_import(OFFICER, wanted(), "sm2")
    wrapped = wrap_for_import("sm2", begun.spki, SECRET, begun.id)

    def finish(_):
        try:
            return keyring.finish_import(OFFICER, begun.id, wrapped).name
        except (ImportUnknown, ServiceKeyTaken) as error:
            return error.code

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(finish, range(16)))
    assert answers.count(NAME) == 1, answers
    with world.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ServiceKeyVersionRow)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(ImportRow)) == 0


@pytest.mark.engines("any")
def test_an_import_is_for_one_key_one_time_and_one_day(world):
    keyring = world.centre.keyring
    begun = keyring.begin_import(OFFICER, wanted(), "sm2")
    other = keyring.begin_import(OFFICER, wanted(), "sm2")
    late = keyring.begin_import(OFFICER, wanted(), "sm2")
    # of two imports of one name one becomes the key, and a key that was brought in is never taken for another
    keyring.finish_import(OFFICER, begun.id, wrap_for_import("sm2", begun.spki, SECRET, begun.id))
    with pytest.raises(ServiceKeyTaken):
        keyring.finish_import(OFFICER, other.id, wrap_for_import("sm2", other.spki, SECRET[::-1], other.id))
    with pytest.raises(ServiceKeyTaken):
        keyring.begin_import(OFFICER, wanted(), "sm2")
    world.store.clock.advance(timedelta(hours=24))
    with pytest.raises(ImportUnknown):
        keyring.finish_import(OFFICER, late.id, wrap_for_import("sm2", late.spki, SECRET, late.id))
    keyring.end_due()
    with world.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ImportRow)) == 0


@pytest.mark.engines("any")
def test_openssl_wraps_for_us(world, tmp_path):
    """RSA-OAEP by the command, AES-KWP by another library's hand: CKM_RSA_AES_KEY_WRAP."""
    begun = world.centre.keyring.begin_import(OFFICER, wanted(), "rsa-aes-kwp")
    public, transport, out = tmp_path / "spki", tmp_path / "transport", tmp_path / "out"
    public.write_bytes(begun.spki)
    transport.write_bytes(b"t" * 32)
    options = [
        part for each in ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256") for part in ("-pkeyopt", each)
    ]
    openssl(
        "pkeyutl",
        "-encrypt",
        "-pubin",
        "-inkey",
        public,
        "-keyform",
        "DER",
        "-in",
        transport,
        "-out",
        out,
        *options,
    )
    wrapped = out.read_bytes() + keywrap.aes_key_wrap_with_padding(b"t" * 32, SECRET)
    world.centre.keyring.finish_import(OFFICER, begun.id, wrapped)
    assert use(world, "encrypt", data=b"x").version == 1


@pytest.mark.engines("any")
def test_key_wrap_vectors_open():
    """NIST CAVP AES-KWP with 256 bits, through the path of an import; those that must not open do not."""
    from tests.crypto.test_operations import vectors

    secret, spki = operations.generate(METHODS["rsa-aes-kwp"])
    seen = {"opened": 0, "refused": 0}
    for number, each in enumerate(vectors("keywrap/kwtestvectors/KWP_AD_256.txt")):
        if number % 25:
            continue
        under = operations.seal(METHODS["rsa-aes-kwp"], None, spki, bytes.fromhex(each["k"]), b"")
        try:
            opened = open_import("rsa-aes-kwp", secret, under + bytes.fromhex(each["c"]), "")
        except operations.CannotDecrypt:
            assert "fail" in each
            seen["refused"] += 1
        else:
            assert opened == bytes.fromhex(each["p"])
            seen["opened"] += 1
    assert min(seen.values()) > 3


# --- ending -------------------------------------------------------------------------------------------------------------


def decided(world: World, name: str = NAME) -> None:
    """What the approved proposal does, in the transaction that closes it; who may approve is the proposals' own affair."""
    KIND.check(world.centre, DestroyContent(name=name))
    assert KIND.within is not None
    approved = SimpleNamespace(proposal="p" * 26, content=DestroyContent(name=name))
    with world.store.act(OFFICER, "authz.execute", "proposal:p") as act:
        KIND.within(world.centre, approved, act.session)  # type: ignore[arg-type]


def test_a_key_is_destroyed_after_its_time_and_for_good(either):
    """Seen to fail when the ciphertext stays in the row."""
    world, keyring = either, either.centre.keyring
    key = keyring.create(OFFICER, wanted("sm4-gcm"))
    keyring.rotate(OFFICER, NAME)
    text = sealed(world.centre)
    with world.store.read() as session:
        blobs = list(session.scalars(sa.select(ServiceKeyVersionRow.blob)))
    decided(world)
    assert keyring.show(OFFICER, NAME).destroy_at == world.store.clock.now() + timedelta(days=30)
    for operation, item in (("encrypt", {"data": b"x"}), ("decrypt", {"ciphertext": text}), ("data-key", {})):
        with pytest.raises(ServiceKeyEnding):
            use(world, operation, **item)
    with pytest.raises(ServiceKeyEnding):
        keyring.rotate(OFFICER, NAME)
    with pytest.raises(ServiceKeyEnding):
        decided(world)
    world.store.clock.advance(timedelta(days=29))
    assert keyring.end_due() == 0
    world.store.clock.advance(timedelta(days=1))
    assert keyring.end_due() == 1
    assert keyring.end_due() == 0
    with pytest.raises(ServiceKeyDestroyed) as caught:
        use(world, "decrypt", ciphertext=text)
    assert (caught.value.status, caught.value.retryable) == (410, False)
    with pytest.raises(ServiceKeyDestroyed):
        keyring.create(OFFICER, wanted("sm4-gcm"))
    with pytest.raises(NotEnding):
        keyring.keep(OFFICER, NAME)
    shown = keyring.show(OFFICER, NAME)
    assert (shown.name, shown.latest, shown.condition) == (key.name, 2, "destroyed")
    assert all(each.destroyed and each.wrapped is None for each, _ in keyring.versions(OFFICER, NAME))
    with world.store.read() as session:
        for blob in session.scalars(sa.select(ServiceKeyVersionRow.blob)):
            assert set(blob) == {0}
    for file in world.root.rglob("*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert all(blob not in file.read_bytes() for blob in blobs)
    assert [each["outcome"] for each in world.events("kms.destroy-service-key")] == ["intent", "done"]


@pytest.mark.engines("any")
def test_a_destruction_is_called_off(world):
    keyring = world.centre.keyring
    keyring.create(OFFICER, wanted())
    text = sealed(world.centre)
    with pytest.raises(NotEnding):
        keyring.keep(OFFICER, NAME)
    decided(world)
    assert keyring.keep(OFFICER, NAME).condition == "active"
    opens(world.centre, text)
    world.store.clock.advance(timedelta(days=40))
    assert keyring.end_due() == 0
    opens(world.centre, text)


@pytest.mark.engines("any")
def test_nothing_comes_of_a_key_that_ends_while_it_is_used(world, monkeypatch):
    """The record's transaction asks again. Seen to fail without `_still`."""
    from kms.keyring import service

    keyring = world.centre.keyring
    keyring.create(OFFICER, wanted())
    text = sealed(world.centre)
    for operation, item in (("decrypt", {"ciphertext": text}), ("encrypt", {"data": b"x"})):
        run = service.run

        def slowly(*asked, run=run):
            found = run(*asked)
            decided(world)
            return found

        monkeypatch.setattr(service, "run", slowly)
        with pytest.raises(ServiceKeyEnding):
            use(world, operation, **item)
        monkeypatch.undo()
        assert world.events(f"kms.{operation}")[-1]["outcome"] == "refused"
        keyring.keep(OFFICER, NAME)


@pytest.mark.engines("any")
@pytest.mark.parametrize("afar", [False, True])
def test_what_the_module_held_is_destroyed_there(world, afar):
    keyring = world.centre.keyring
    keyring.create(OFFICER, wanted(place=Place.HSM))
    keyring.rotate(OFFICER, NAME)
    held = [world.centre.key(f"service.{NAME}.{number}") for number in (1, 2)]
    decided(world)
    world.store.clock.advance(timedelta(days=30))
    near = world.centre.engine
    if afar:
        # which destroys only what the register has retired
        world.centre.engine = remote(world)
    assert keyring.end_due() == 1
    world.centre.engine = near
    for each in held:
        with pytest.raises(KeyLost):
            world.centre.engine.encrypt(each.reference, bytes(12), b"", b"x")
    assert world.centre.health().ok


@pytest.mark.engines("any")
def test_one_that_cannot_be_destroyed_keeps_no_other_from_it(world, monkeypatch):
    """The module does not answer for the first of two: it is tried again, and the second is gone meanwhile. Seen to fail when the
    first that fails ends the run."""
    keyring, engine = world.centre.keyring, world.centre.engine
    keyring.create(OFFICER, wanted(place=Place.HSM))
    decided(world)
    world.store.clock.advance(timedelta(seconds=1))
    keyring.create(OFFICER, replace(wanted(), name="hrss.second"))
    decided(world, "hrss.second")
    world.store.clock.advance(timedelta(days=30))
    destroy = engine.destroy

    def gone(_):
        raise HsmGone(token="t", reason="t")

    monkeypatch.setattr(engine, "destroy", gone)
    with pytest.raises(HsmGone):
        keyring.end_due()
    with world.store.read() as session:
        left = session.scalars(
            sa.select(ServiceKeyRow.name).where(ServiceKeyRow.destroy_at.is_not(None))
        ).all()
    assert left == [NAME]
    with pytest.raises(ServiceKeyDestroyed):
        use(world, "encrypt", data=b"x")
    monkeypatch.setattr(engine, "destroy", destroy)
    assert keyring.end_due() == 1
    assert world.centre.health().ok


@pytest.mark.engines("any")
@pytest.mark.parametrize("place", Place)
def test_killed_while_it_is_destroyed(world, place):
    """Once begun it is finished by the next run, and nothing is used in between."""
    keyring = world.centre.keyring
    keyring.create(OFFICER, wanted(place=place))
    text = sealed(world.centre)
    decided(world)
    world.store.clock.advance(timedelta(days=30))
    for step in ("1-intended", "2-module"):

        def late(there: World) -> None:
            there.store.clock.advance(timedelta(days=60))
            there.centre.keyring.end_due()

        killed(world, f"kms.destroy-service-key.{step}", late)
        assert key_of(world.store, NAME).condition == "destroyed"
        with pytest.raises(ServiceKeyDestroyed):
            use(world, "decrypt", ciphertext=text)
    killed(world, "kms.destroy-service-key.3-done", late)
    assert world.centre.keyring.end_due() == 0
    assert [each["outcome"] for each in world.events("kms.destroy-service-key")] == ["intent", "done"]


@pytest.mark.engines("any")
def test_killed_while_it_is_brought_in(world):
    begun = world.centre.keyring.begin_import(OFFICER, wanted(), "ml-kem-768-hpke")
    wrapped = wrap_for_import(begun.method, begun.spki, SECRET, begun.id)
    steps = ("kms.create-service-key.1-made", "kms.create-service-key.2-done")

    def finish(there: World) -> None:
        there.centre.keyring.finish_import(OFFICER, begun.id, wrapped)

    killed(world, steps[0], finish)
    assert world.centre.keyring.keys_of(OFFICER, "o-office") == []
    killed(world, steps[1], finish)
    opens(world.centre, sealed(world.centre))
    with pytest.raises(ImportUnknown):
        finish(world)
