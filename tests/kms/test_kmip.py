"""KMIP by a client that is not ours (PyKMIP), over TLS on loopback: keys made, fetched, moved through their states, found."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from sqlalchemy.sql import visitors

from kms.cli import group
from kms.errors import WrappedKeyAltered
from kms.kmip import certify, fields, material, recover
from kms.kmip.errors import (
    BadKmipClient,
    KmipCertificateTaken,
    KmipClientEnded,
    KmipClientTaken,
    KmipClientUnknown,
    KmipNothingToRecover,
)
from kms.kmip.fields import Fields
from kms.kmip.lifecycle import in_state, state_of
from kms.kmip.material import HELD
from kms.kmip.models import KmipObjectRow
from kms.kmip.ttlv import Item, Type, decode
from kms.kmip.words import Reason, State, Tag
from kms.module import MODULE
from tests.support.pykmip import AttributeFactory, KmipOperationFailure, Name, SecretData, SymmetricKey, enums
from yinxin.act import SYSTEM
from yinxin.crypto.certificates import Certificate
from yinxin.proposal import Approved

from .conftest import OFFICER, World
from .kmip_site import Papers, Site, aes, made, named, outcomes, payload, uid

pytestmark = [
    pytest.mark.engines("any"),
    # PyKMIP asks for TLS in a way that Python has another for
    pytest.mark.filterwarnings("ignore::DeprecationWarning:kmip"),
]
A256 = (enums.CryptographicAlgorithm.AES, 256)
MASKS = [enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT]
WRAPS = [enums.CryptographicUsageMask.WRAP_KEY]
CREATE, LOCATE, GET, ACTIVATE, REVOKE, DESTROY = 1, 8, 0xA, 0x12, 0x13, 0x14


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all of the file: names keep the tests apart."""
    folder = tmp_path_factory.mktemp("kmip")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SOFTHSM2_CONF", raising=False)
        world = World(f"sqlite:///{folder / 'test.sqlite'}", folder)
        world.centre.initialise(SYSTEM)
        made_ = Site(world, folder)
        yield made_
        made_.listener.close()
        world.close()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a client does, nothing fails in a way that nobody thought of."""
    yield
    assert [each for each in caplog.records if each.name.startswith("yinxin") and each.exc_info] == []


def name(title: str) -> Any:
    kind = enums.NameType.UNINTERPRETED_TEXT_STRING
    return AttributeFactory().create_attribute(enums.AttributeType.NAME, Name.create(title, kind))


def refused(caught: pytest.ExceptionInfo[KmipOperationFailure]) -> str:
    return str(caught.value.reason.name)


def test_the_life_of_a_key(site: Site) -> None:
    """Seen to fail when the state is not looked at, when the record is left out, and when material is kept in the clear."""
    with site.client() as client:
        key = client.create(*A256, name="volume-1", cryptographic_usage_mask=MASKS)
        octets = client.get(key).value
        assert (len(octets), client.get(key).value) == (32, octets)
        assert client.locate(attributes=[name("volume-1")]) == [key]
        state = client.get_attributes(key, ["State"])[1][0]
        assert state.attribute_value.value is enums.State.PRE_ACTIVE
        client.activate(key)
        with pytest.raises(KmipOperationFailure) as caught:
            client.destroy(key)
        assert refused(caught) == "PERMISSION_DENIED"
        client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, key)
        client.destroy(key)
        with pytest.raises(KmipOperationFailure) as caught:
            client.get(key)
        assert refused(caught) == "PERMISSION_DENIED"
        assert client.locate(attributes=[name("volume-1")]) == []
        # its name is free again
        client.create(*A256, name="volume-1", cryptographic_usage_mask=MASKS)
    verbs = [
        each["verb"].removeprefix("kms.")
        for each in site.world.events()
        if each["subject"] == f"kmip-object:{key}" and each["outcome"] == "done"
    ]
    assert verbs == [
        *("create-kmip-object", "get-kmip-object", "get-kmip-object"),
        *("activate-kmip-object", "revoke-kmip-object", "destroy-kmip-object"),
    ]
    for file in site.world.root.glob("test.sqlite*"):
        stored = file.read_bytes()
        assert octets not in stored
        assert octets.hex().encode() not in stored
    (who,) = {each["actor"]["id"] for each in site.world.events("kms.get-kmip-object")}
    assert who == "kmip:array"


@pytest.mark.parametrize("version", ["KMIP_1_0", "KMIP_1_1", "KMIP_1_2"])
def test_every_version_that_is_spoken(site: Site, version: str) -> None:
    with site.client() as client:
        client.kmip_version = enums.KMIPVersion[version]
        key = client.create(*A256, name=f"of {version}", cryptographic_usage_mask=MASKS)
        assert len(client.get(key).value) == 32
        assert client.locate(attributes=[name(f"of {version}")]) == [key]
        with pytest.raises(KmipOperationFailure):
            client.get("0" * 26)


def test_another_systems_object_is_not_there(site: Site) -> None:
    """Seen to fail when `owned` does not ask for the client."""
    key = made(site.ask((CREATE, aes(named("mine")))))
    before = site.rows()
    theirs = [
        (GET, [uid(key)]),
        (0xB, [uid(key)]),
        (ACTIVATE, [uid(key)]),
        (DESTROY, [uid(key)]),
        (REVOKE, [uid(key), fields.structure(Tag.REVOCATION_REASON, fields.choice(0x420082, 2))]),
    ]
    for each in theirs:
        assert outcomes(site.ask(each, papers=site.database)) == [(1, Reason.ITEM_NOT_FOUND)]
    with site.client(site.database) as client:
        assert key not in client.locate()
        with pytest.raises(KmipOperationFailure) as caught:
            client.get(key)
        assert refused(caught) == "ITEM_NOT_FOUND"
    assert site.rows() == before
    assert site.world.events("kms.get-kmip-object")[-1]["outcome"] == "refused"


def test_keys_and_secrets_that_are_brought_in(site: Site) -> None:
    with site.client() as client:
        octets = bytes(range(32))
        key = client.register(SymmetricKey(*A256, octets, masks=MASKS, name="brought"))
        secret = client.register(
            SecretData(b"open sesame", enums.SecretDataType.PASSWORD, masks=MASKS, name="word")
        )
        assert client.get(key).value == octets
        found = client.get(secret)
        assert (found.value, found.data_type) == (b"open sesame", enums.SecretDataType.PASSWORD)
        with pytest.raises(KmipOperationFailure) as caught:
            client.register(SymmetricKey(*A256, octets, masks=MASKS, name="brought"))
        assert refused(caught) == "INVALID_FIELD"
        listed = client.get_attribute_list(key)
        assert {"Name", "State", "Unique Identifier", "Initial Date"} <= set(listed)


def test_a_wrapped_key_opens_with_the_wrapping_key_alone(site: Site) -> None:
    specification = {
        "wrapping_method": enums.WrappingMethod.ENCRYPT,
        "encoding_option": enums.EncodingOption.NO_ENCODING,
    }
    with site.client() as client:
        over = client.create(*A256, cryptographic_usage_mask=WRAPS)
        plain = client.create(*A256, cryptographic_usage_mask=MASKS)
        information = {
            "unique_identifier": over,
            "cryptographic_parameters": {"block_cipher_mode": enums.BlockCipherMode.NIST_KEY_WRAP},
        }
        asked = specification | {"encryption_key_information": information}
        with pytest.raises(KmipOperationFailure):  # not Active yet
            client.get(plain, asked)
        client.activate(over)
        wrapped = client.get(plain, asked).value
        octets = client.get(plain).value
        assert aes_key_unwrap(client.get(over).value, wrapped) == octets
        answer = site.ask((GET, [uid(plain), wrapping(over)]))
        block = payload(answer).structure(Tag.SYMMETRIC_KEY).structure(Tag.KEY_BLOCK)
        opened = aes_key_unwrap(client.get(over).value, block.needed(Tag.KEY_VALUE, Type.OCTETS))
        assert Fields(decode(opened)).needed(Tag.KEY_MATERIAL, Type.OCTETS) == octets
        with pytest.raises(KmipOperationFailure) as caught:  # not made for wrapping
            client.get(
                over, asked | {"encryption_key_information": information | {"unique_identifier": plain}}
            )
        assert refused(caught) == "ILLEGAL_OPERATION"
    facts = [each.get("facts") for each in site.world.events("kms.get-kmip-object")]
    assert facts.count({"wrapped_under": over}) == 2


def answered(site: Site, papers: Papers | None) -> bool:
    try:
        with site.raw(papers) as wire:
            wire.sendall(b"x")
            return bool(wire.recv(1))
    except OSError:
        return False


def wrapping(key: str) -> Item:
    """A Key Wrapping Specification: the whole Key Value, in TTLV."""
    mode = fields.structure(Tag.CRYPTOGRAPHIC_PARAMETERS, fields.choice(Tag.BLOCK_CIPHER_MODE, 0xD))
    return fields.structure(
        Tag.KEY_WRAPPING_SPECIFICATION,
        fields.choice(Tag.WRAPPING_METHOD, 1),
        fields.structure(Tag.ENCRYPTION_KEY_INFORMATION, uid(key), mode),
    )


def test_who_is_not_admitted(site: Site) -> None:
    """Seen to fail when the judge is asked at the handshake only."""
    stranger, late = site.ours.make("stranger"), site.ours.make("late")
    other = site.theirs.make("array")
    assert not answered(site, None)
    assert not answered(site, other)
    with pytest.raises(KmipOperationFailure) as caught, site.client(stranger) as client:
        client.create(*A256, cryptographic_usage_mask=MASKS)
    assert refused(caught) == "AUTHENTICATION_NOT_SUCCESSFUL"
    certified(site, "array", late)
    with site.client(late) as client:
        key = client.create(*A256, cryptographic_usage_mask=MASKS)
        assert len(client.get(key).value) == 32
        site.judge.revoked.add(Certificate.load(late.der).fingerprint)
        with pytest.raises(KmipOperationFailure) as caught:
            client.get(key)
        assert refused(caught) == "AUTHENTICATION_NOT_SUCCESSFUL"
    refusals = site.world.events("kms.call-kmip")
    assert [each["error"] for each in refusals].count("kms.kmip_not_admitted") >= 4
    shown = {each["actor"].get("certificate") for each in refusals}
    assert {Certificate.load(each.der).fingerprint for each in (stranger, late)} <= shown


def certified(site: Site, client: str, papers: Papers) -> None:
    """Another certificate of a client's, as several people have approved it."""
    content = certify.CertifyContent(client=client, certificate=papers.pem.decode())
    certify.KIND.check(site.world.centre, content)
    with site.world.store.act(OFFICER, certify.CERTIFY, f"kmip-client:{client}") as act:
        assert certify.KIND.within is not None
        certify.KIND.within(site.world.centre, Approved("p", "d", content, OFFICER, ()), act.session)


def test_another_certificate_is_nobodys_alone_to_give(site: Site) -> None:
    """Whoever has one gets every key: it was an officer's by herself, who could have certified a key of her own.

    Seen to fail when `certify` does not ask the judge, and when it is no proposal.
    """
    assert certify.KIND in MODULE.proposals
    assert certify.KIND.key
    policies = Path(str(MODULE.policies), "kmip.cedar").read_text("utf-8")
    assert certify.CERTIFY not in policies
    own, revoked = site.ours.make("officer"), site.ours.make("given-back")
    content = certify.CertifyContent(client="array", certificate=own.pem.decode())
    assert certify.KIND.about(site.world.centre, content).organ == "o-office"
    told = " ".join(each.en for each in certify.KIND.describe(site.world.centre, content))
    assert Certificate.load(own.der).fingerprint in told
    assert "every key" in told
    site.judge.revoked.add(Certificate.load(revoked.der).fingerprint)
    for papers, refusal in ((revoked, BadKmipClient), (site.database, KmipCertificateTaken)):
        with pytest.raises(refusal):
            certified(site, "array", papers)
    with pytest.raises(KmipClientUnknown):
        certified(site, "nobody", own)
    assert not answered_by(site, own)
    certified(site, "array", own)
    assert answered_by(site, own)


def answered_by(site: Site, papers: Papers) -> bool:
    return outcomes(site.ask((LOCATE, []), papers=papers)) == [(0, None)]


def test_registrations(site: Site) -> None:
    papers = site.ours.make("registered")
    with pytest.raises(KmipClientTaken):
        site.kmip.register(OFFICER, "array", "o-office", papers.pem)
    with pytest.raises(KmipCertificateTaken):
        site.kmip.register(OFFICER, "array-2", "o-office", site.array.pem)
    context = SimpleNamespace(platform=lambda: SimpleNamespace(kms=site.world.centre), actor=lambda: OFFICER)

    def told(*arguments: str) -> Any:
        done = CliRunner().invoke(group, ["kmip", *arguments, "--json"], obj=context)
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.output)

    shown = told("register", "third", "--organ", "o-office", "--certificate", str(papers.certificate))
    assert shown == told("show", "third")
    key = made(site.ask((CREATE, aes(named("third's"))), papers=papers))
    (kept,) = told("objects", "third")
    assert (kept["id"], kept["state"], kept["names"]) == (key, "pre-active", ["third's"])
    assert told("end", "third")["certificates"] == []
    assert outcomes(site.ask((GET, [uid(key)]), papers=papers)) == [(1, Reason.AUTHENTICATION_NOT_SUCCESSFUL)]
    with pytest.raises(KmipClientEnded):
        site.kmip.end(OFFICER, "third")
    assert [each["id"] for each in told("list", "--organ", "o-office")] == ["array", "database", "third"]


def test_a_new_wrapping_key_reaches_them(site: Site) -> None:
    """Seen to fail when the table is not among those that are rewrapped, and when a ciphertext opens in another row."""
    with site.client() as client:
        key = client.create(*A256, cryptographic_usage_mask=MASKS)
        octets = client.get(key).value
        site.world.centre.generations.held = lambda: [HELD]
        new = site.world.centre.generations.rotate(OFFICER)
        assert site.world.centre.generations.rewrap() > 0
        with site.world.store.read() as session:
            assert session.get_one(KmipObjectRow, key).kek == new.label
        assert client.get(key).value == octets
    other = made(site.ask((CREATE, aes())))
    with site.world.store.engine.begin() as connection:
        table = KmipObjectRow.__table__
        source = sa.select(table.c.nonce, table.c.blob).where(table.c.id == key)
        nonce, blob = connection.execute(source).one()
        moved = sa.update(KmipObjectRow).where(KmipObjectRow.id == other).values(nonce=nonce, blob=blob)
        connection.execute(moved)
    assert outcomes(site.ask((GET, [uid(other)]))) == [(1, Reason.GENERAL_FAILURE)]
    assert site.world.events("kms.get-kmip-object")[-1]["error"] == WrappedKeyAltered.code


def test_an_object_that_was_made_another_clients_is_not_given_out(site: Site) -> None:
    """Whoever writes in the database moves the whole row. Seen to fail when the client is not part of what it is bound to."""
    key = made(site.ask((CREATE, aes())))
    with site.world.store.engine.begin() as connection:
        connection.execute(sa.update(KmipObjectRow).where(KmipObjectRow.id == key).values(client="database"))
    assert outcomes(site.ask((GET, [uid(key)]), papers=site.database)) == [(1, Reason.GENERAL_FAILURE)]
    assert site.world.events("kms.get-kmip-object")[-1]["error"] == WrappedKeyAltered.code


def test_a_key_that_was_given_out_is_overwritten(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail when the answer leaves what it holds."""
    seen: list[bytes] = []
    take = material.take

    def taken(*given: Any) -> bytes:
        seen.append(take(*given))
        return seen[-1]

    key = made(site.ask((CREATE, aes())))
    monkeypatch.setattr(material, "take", taken)
    assert outcomes(site.ask((GET, [uid(key)]))) == [(0, None)]
    assert seen == [bytes(32)]


def test_what_an_array_destroyed_comes_back_or_is_overwritten(site: Site) -> None:
    """Seen to fail when destroying wipes at once, and when the timer leaves the ciphertext."""
    first, second = (made(site.ask((CREATE, aes(named(each))))) for each in ("lost", "given up"))
    with site.client() as client:
        octets = client.get(first).value
    for each in (first, second):
        assert outcomes(site.ask((DESTROY, [uid(each)]))) == [(0, None)]
    again = made(site.ask((CREATE, aes(named("lost")))))
    assert site.kmip.wipe_due() == 0
    content = recover.RecoverContent(object=first)
    recover.KIND.check(site.world.centre, content)
    assert recover.KIND.about(site.world.centre, content).organ == "o-office"
    approved = Approved("p", "d", content, OFFICER, ())
    with site.world.store.act(OFFICER, recover.RECOVER, f"kmip-object:{first}") as act:
        assert recover.KIND.within is not None
        recover.KIND.within(site.world.centre, approved, act.session)
    with site.client() as client:
        assert client.get(first).value == octets
        # its name is another's by now
        assert set(client.locate(attributes=[name("lost")])) == {again, first}
    site.world.store.clock.advance(timedelta(days=31))  # type: ignore[attr-defined]
    assert site.kmip.wipe_due() >= 1
    with site.world.store.read() as session:
        row = session.get_one(KmipObjectRow, second)
        assert (row.kek, row.nonce, set(row.blob or b"")) == (None, None, {0})
    with pytest.raises(KmipNothingToRecover):
        recover.KIND.check(site.world.centre, recover.RecoverContent(object=second))


@pytest.mark.parametrize("after", [False, True])
def test_states_follow_from_instants(site: Site, after: bool) -> None:
    """The condition on rows and the state of a row are one, in every combination of instants."""
    now = site.world.store.clock.now() + (timedelta(days=1) if after else timedelta())
    instants = [None, now - timedelta(hours=1), now, now + timedelta(hours=1)]
    rows = [
        KmipObjectRow(activation=active, deactivation=over, compromised=known, destroyed=gone)
        for active in instants
        for over in instants
        for known in instants[:2]
        for gone in instants[:2]
    ]
    engine = sa.create_engine("sqlite://")
    columns = ("activation", "deactivation", "compromised", "destroyed")
    with engine.connect() as connection:
        for row in rows:
            values = {each: getattr(row, each) for each in columns}
            holding = [
                state for state in State if connection.scalar(sa.select(_bound(in_state(state, now), values)))
            ]
            assert holding == [state_of(row, now)], values


def _bound(condition: sa.ColumnElement[bool], values: dict[str, object]) -> sa.ColumnElement[bool]:
    """The condition with a row's values in the place of its columns."""

    def value(element: object, **_: object) -> object:
        if isinstance(element, sa.Column) and element.name in values:
            return sa.literal(values[element.name], element.type)
        return None

    return visitors.replacement_traverse(condition, {}, value)  # type: ignore[no-any-return]
