"""A person's signing key: opened by her PIN and the module together, so many tries and no more, one signature each time."""

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from kms.errors import BadDigest, HsmGone, WrappedKeyAltered
from kms.holder import HolderKey, Signing, Unlock
from kms.holder import lock as locking
from kms.holder.errors import (
    BadHolderPin,
    HolderKeyEnded,
    HolderKeyExists,
    HolderKeyLocked,
    HolderKeyMoved,
    HolderKeyUnknown,
    NotAPerson,
    WrongHolderPin,
)
from kms.holder.key import HELD, lock_of
from kms.holder.models import HolderKeyRow, HolderLockRow, HolderUseRow, Way
from kms.holder.signer import HolderSigner
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto import aead
from yinxin.crypto.errors import CannotDecrypt
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, PQ, SM, Suite
from yinxin.errors import YinxinError
from yinxin.store import Base

from .conftest import KEEPER, OFFICER, World

PIN, OTHER = "杭州西湖-2718", "wrong-horse-9"
MESSAGE = "同意。".encode()


def made(world: World, suite: Suite = INTL) -> HolderKey:
    world.restarted(holder_work=14)
    return world.centre.holders.create(KEEPER, suite, PIN)


def sign(world: World, key: HolderKey, pin: str = PIN) -> bytes:
    wanted = Signing(key.public_key.prehash(MESSAGE), "document.sign-off", "document:42")
    return world.centre.holders.sign(KEEPER, key.id, Unlock.pin(pin), wanted).signature


def left(world: World, key: HolderKey) -> int:
    return int(world.centre.holders.show(KEEPER, key.id).fields(world.centre.holders.most)["attempts_left"])


@pytest.mark.engines("any")
@pytest.mark.parametrize("suite", [INTL, SM, PQ], ids=lambda suite: suite.name)
def test_her_pin_makes_one_signature_that_is_on_record(world: World, suite: Suite) -> None:
    key = made(world, suite)
    wanted = Signing(key.public_key.prehash(MESSAGE), "document.sign-off", "document:42")
    done = world.centre.holders.sign(KEEPER, key.id, Unlock.pin(PIN), wanted)
    key.public_key.verify(done.signature, MESSAGE)
    intent, record = world.events("kms.sign-as-holder")
    assert (intent["outcome"], record["outcome"], record["id"]) == ("intent", "done", done.entry)
    assert record["facts"] == {
        "digest": wanted.digest.hex(),
        "purpose": "document.sign-off",
        "for": "document:42",
        "way": "pin",
    }
    (use,) = world.centre.holders.uses(KEEPER, key.id)
    assert (use.id, use.purpose, use.subject, use.digest) == (done.entry, wanted.purpose, wanted.subject, wanted.digest.hex())  # fmt: skip
    with pytest.raises(HolderKeyExists):
        world.centre.holders.create(KEEPER, suite, PIN)
    assert [each.id for each in world.centre.holders.own(KEEPER)] == [key.id]


def test_wrong_pins_are_counted_and_lock_the_key_for_good(either: World) -> None:
    """The right PIN sets the count back. Seen to fail when a locked key is tried all the same."""
    world = either
    key = made(world)
    for tries in (4, 3):
        with pytest.raises(WrongHolderPin) as caught:
            sign(world, key, OTHER)
        assert caught.value.facts["left"] == tries == left(world, key)
    sign(world, key)
    assert left(world, key) == 5
    for _ in range(5):
        with pytest.raises(WrongHolderPin):
            sign(world, key, OTHER)
    for pin in (PIN, OTHER):
        with pytest.raises(HolderKeyLocked):
            sign(world, key, pin)
    assert world.centre.holders.show(KEEPER, key.id).state(5) == "locked"
    with pytest.raises(HolderKeyLocked):
        world.centre.holders.change_pin(KEEPER, key.id, PIN, OTHER)
    refused = [
        event["error"] for event in world.events("kms.sign-as-holder") if event["outcome"] == "refused"
    ]
    assert refused.count("kms.wrong_holder_pin") == 7
    assert refused.count("kms.holder_key_locked") == 2
    world.centre.holders.end(KEEPER, key.id)
    assert made(world).id != key.id


def test_many_tries_at_once_are_no_more_tries(either: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty-two wrong PINs in parallel. Seen to fail when the counting does not ask whether a try is left."""
    world = either
    key = made(world)
    tried: list[int] = []
    disclose = locking.disclose

    def counted(*arguments: Any) -> bytes:
        tried.append(1)
        return disclose(*arguments)

    monkeypatch.setattr("kms.holder.sign.disclose", counted)

    def attempt(number: int) -> type[YinxinError]:
        with pytest.raises((WrongHolderPin, HolderKeyLocked)) as caught:
            sign(world, key, f"{OTHER}{number}")
        return type(caught.value)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(attempt, range(32)))
    assert len(tried) == found.count(WrongHolderPin) == 5
    assert left(world, key) == 0


@pytest.mark.engines("any")
def test_a_try_is_committed_before_it_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops the process at the try gains none."""
    key = made(world)

    def dying(*_: Any) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("kms.holder.sign.disclose", dying)
    with pytest.raises(KeyboardInterrupt):
        sign(world, key)
    assert left(world, key) == 4


@pytest.mark.engines("any")
def test_a_module_that_does_not_answer_costs_no_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = made(world)

    def gone(*_: Any) -> bytes:
        raise HsmGone(token="yinxin", reason="test")

    monkeypatch.setattr(world.centre.engine, "decrypt", gone)
    with pytest.raises(HsmGone):
        sign(world, key)
    assert left(world, key) == 5
    assert world.events("kms.sign-as-holder")[-1]["error"] == "kms.hsm_gone"


@pytest.mark.engines("any")
def test_neither_the_pin_nor_the_module_opens_it_alone(world: World) -> None:
    """Seen to fail when the inner layer is left out."""
    key = made(world)
    lock = lock_of(world.store, key, Way.PIN)
    inner = aead_key(lock.derivation, INTL)
    with pytest.raises(CannotDecrypt):  # with the database and the PIN, without the module
        aead.open_sealed(
            INTL, inner, lock.wrapped.nonce + lock.wrapped.blob, locking._inner(lock.about, lock.derivation)
        )
    kek = world.centre.key(lock.wrapped.kek)
    from kms.wrap import unwrap_octets

    enclosed = unwrap_octets(
        world.centre.engine, kek, locking.bound(lock.about, kek.label), lock.wrapped, key.id
    )
    assert bytes.fromhex("301306072a8648ce3d0201") not in enclosed  # with the module, without the PIN
    with pytest.raises(CannotDecrypt):
        locking.disclose(Unlock.pin(OTHER), lock.derivation, lock.about, INTL, enclosed)
    assert locking.disclose(Unlock.pin(PIN), lock.derivation, lock.about, INTL, enclosed)


def aead_key(derived: dict[str, Any], suite: Suite) -> bytes:
    return locking._derive(Unlock.pin(PIN), derived, suite)


@pytest.mark.engines("any")
def test_a_lock_moved_to_another_key_does_not_open(world: World) -> None:
    one = made(world)
    other = world.centre.holders.create(OFFICER, INTL, PIN)
    with world.store.read() as session:
        row = session.scalars(sa.select(HolderLockRow).where(HolderLockRow.key == other.id)).one()
        stolen = {"kek": row.kek, "nonce": row.nonce, "blob": row.blob, "derivation": row.derivation}
    with world.store.engine.begin() as connection:
        connection.execute(sa.update(HolderLockRow).where(HolderLockRow.key == one.id).values(**stolen))
    with pytest.raises(WrappedKeyAltered):
        sign(world, one)


@pytest.mark.engines("any")
def test_a_key_that_was_made_another_persons_is_not_hers_to_try(world: World) -> None:
    """Whoever writes in the database names herself as its holder, and tries PINs as often as she sets the count back. Seen to fail
    when what a lock is bound to is not held against the key."""
    key = made(world)
    with world.store.engine.begin() as connection:
        connection.execute(sa.update(HolderKeyRow).where(HolderKeyRow.id == key.id).values(holder=OFFICER.id))
    for pin in (PIN, OTHER):
        with pytest.raises(WrappedKeyAltered):
            world.centre.holders.sign(
                OFFICER, key.id, Unlock.pin(pin), Signing(key.public_key.prehash(MESSAGE), "x", "x:1")
            )
    assert world.centre.holders.show(OFFICER, key.id).attempts == 0
    assert world.events("kms.sign-as-holder")[-1]["error"] == "kms.wrapped_key_altered"


@pytest.mark.engines("any")
def test_another_pin(world: World) -> None:
    key = made(world)
    new = "西溪湿地 3141592"
    world.centre.holders.change_pin(KEEPER, key.id, PIN, new)
    with pytest.raises(WrongHolderPin):
        sign(world, key)
    key.public_key.verify(sign(world, key, new), MESSAGE)
    with world.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(HolderLockRow)) == 1
    for bad in ("short", "1234567890", "aaaaaaaaaa", "abababab", "x" * 129):
        with pytest.raises(BadHolderPin):
            world.centre.holders.change_pin(KEEPER, key.id, new, bad)
    assert left(world, key) == 5


@pytest.mark.engines("any")
def test_a_pin_that_changes_meanwhile_lets_nothing_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature was made under the old PIN and is thrown away. Seen to fail when the record does not ask again."""
    key = made(world)
    disclose = locking.disclose

    def meanwhile(*arguments: Any) -> bytes:
        monkeypatch.setattr("kms.holder.sign.disclose", disclose)
        world.centre.holders.change_pin(KEEPER, key.id, PIN, OTHER)
        return disclose(*arguments)

    monkeypatch.setattr("kms.holder.sign.disclose", meanwhile)
    with pytest.raises(HolderKeyMoved):
        sign(world, key)
    assert not world.centre.holders.uses(KEEPER, key.id)


@pytest.mark.engines("any")
def test_an_ended_key_leaves_no_secret(world: World) -> None:
    key = made(world)
    sign(world, key)
    assert world.centre.holders.end(KEEPER, key.id).ended is not None
    for act in (
        lambda: sign(world, key),
        lambda: world.centre.holders.end(KEEPER, key.id),
        lambda: world.centre.holders.change_pin(KEEPER, key.id, PIN, OTHER),
    ):
        with pytest.raises(HolderKeyEnded):
            act()
    with world.store.read() as session:
        assert session.scalars(sa.select(HolderLockRow)).all() == []
        assert len(session.scalars(sa.select(HolderUseRow)).all()) == 1


@pytest.mark.engines("any")
def test_a_new_wrapping_key_needs_no_pin(world: World) -> None:
    """The outer layer moves, the inner one stays octet for octet."""
    key = made(world)
    before = lock_of(world.store, key, Way.PIN)
    world.centre.generations.held = lambda: (HELD,)
    world.centre.generations.rotate(OFFICER)
    assert world.centre.generations.rewrap() == 1
    after = lock_of(world.store, key, Way.PIN)
    assert (before.wrapped.kek, after.wrapped.kek) == ("kek-1", "kek-2")
    key.public_key.verify(sign(world, key), MESSAGE)


@pytest.mark.engines("any")
def test_only_she_and_nobody_else(world: World) -> None:
    key = made(world)
    world.decider.allowed = lambda actor, _, resource: resource.attributes["holder"] == actor.id
    wanted = Signing(key.public_key.prehash(MESSAGE), "document.sign-off", "document:42")
    with pytest.raises(Denied):
        world.centre.holders.sign(OFFICER, key.id, Unlock.pin(PIN), wanted)
    assert world.centre.holders.keys_of(OFFICER, KEEPER.id) == []
    with pytest.raises(NotAPerson):
        world.centre.holders.create(SYSTEM, INTL, PIN)
    with pytest.raises(HolderKeyUnknown):
        world.centre.holders.show(KEEPER, "no-such-key")
    with pytest.raises(BadDigest):
        world.centre.holders.sign(KEEPER, key.id, Unlock.pin(PIN), Signing(b"x", "test", "test:1"))
    assert left(world, key) == 5


@pytest.mark.engines("any")
def test_a_request_for_a_certificate_is_signed_by_the_key(world: World) -> None:
    key = made(world, SM)
    signer = HolderSigner(
        world.centre.holders, KEEPER, key, Unlock.pin(PIN), purpose="ca.apply", subject=f"holder-key:{key.id}"
    )
    request = CertificationRequest.load(CertificationRequest.build(signer, {}).der)
    request.verify()
    assert request.public_key == key.public_key


@pytest.mark.engines("any")
def test_no_pin_and_no_secret_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 2: in no row, no record, no repr; and what was opened is overwritten."""
    opened: list[bytes] = []
    disclose = locking.disclose

    def kept(*arguments: Any) -> bytes:
        opened.append(disclose(*arguments))
        secrets.append(bytes(bytearray(opened[-1])))
        return opened[-1]

    secrets = [PIN.encode(), Unlock.pin(PIN).secret, OTHER.encode()]
    monkeypatch.setattr("kms.holder.sign.disclose", kept)
    key = made(world)
    sign(world, key)
    with pytest.raises(WrongHolderPin) as caught:
        sign(world, key, OTHER)
    assert opened == [bytes(len(opened[0]))]
    with world.store.read() as session:
        rows = repr(
            [row for table in Base.metadata.sorted_tables for row in session.execute(sa.select(table))]
        )
    told = rows + repr(caught.value) + str(caught.value) + repr(Unlock.pin(PIN)) + str(world.events())
    for secret in secrets:
        for form in (repr(secret)[2:-1], secret.hex(), b64encode(secret).decode()[:-4]):
            assert form not in told
        for file in world.root.rglob("*.sqlite*"):
            assert secret not in file.read_bytes()
