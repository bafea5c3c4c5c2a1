"""Pairs of the suite pq: the encryption key is delivered to the transport key that the signing key signed for, and to no other.

Seen to fail when: the envelope is made for whatever key the request of a renewal brought last; the transport key is not in the
digest of what was asked for; a request's transport key is taken before its signature is verified.
"""

import pytest
import sqlalchemy as sa

from ca.errors import ReferenceReused
from ca.pair import Dialect
from ca.pair.errors import KeyOfAnother, PairEnded, TransportNeeded, TransportUnwanted
from ca.pair.models import PairRow
from ca.request import Application
from kms.escrow import Standing
from kms.escrow.models import UserKeyRow
from yinxin.crypto import der
from yinxin.crypto.authenticated_envelope import AuthenticatedEnvelope, envelop_authenticated
from yinxin.crypto.errors import BadSignature, CannotDecrypt, KeyMismatch, MalformedRequest
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.received_key import open_received
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import Revoked

from .conftest import CLERK, OFFICER, REGISTRAR
from .test_pair import asked, status
from .test_recovery import Safe

pytestmark = pytest.mark.engines("any")


def wanted(transport, reference="pair-1", signing="ml-dsa-65", **parts):
    """A request for a pair of pq whose encryption key shall be delivered to `transport`."""
    key = parts.pop("key", None) or PrivateKey.generate(signing)
    csr = CertificationRequest.build(key, {}, transport=transport and transport.public_key)
    return asked(key, reference, csr=csr.der, **parts)


@pytest.mark.parametrize(
    ("signing", "encryption"), [("ml-dsa-65", "ml-kem-768"), ("ml-dsa-87", "ml-kem-1024")]
)
def test_a_pair_is_issued_and_its_key_opens_what_is_encrypted_to_it(site, signing, encryption):
    transport = PrivateKey.generate(encryption)
    pair = site.ca.pairs.issue(REGISTRAR, wanted(transport, signing=signing))
    assert (pair.signing.public_key.algorithm, pair.encryption.public_key.algorithm) == (signing, encryption)
    assert pair.encryption.key_usage == {"keyEncipherment"}
    for certificate, usage in ((pair.signing, Usage.SIGNATURE), (pair.encryption, Usage.ENCRYPTION)):
        given = {"at": site.clock.now(), "usage": usage, "require_revocation": False}
        validate(certificate, pair.chain, pair.chain[-1:], **given)
    stranger = PrivateKey.generate(encryption)
    for dialect in (None, *Dialect):
        if dialect is not None and not dialect.startswith("cms"):
            continue
        envelope = site.ca.pairs.envelope(REGISTRAR, "pair-1", dialect)
        received = open_received(envelope, transport, None, encryption=pair.encryption)
        with pytest.raises(CannotDecrypt):
            open_received(envelope, stranger, None)
        with pytest.raises(KeyMismatch):
            open_received(envelope, transport, None, encryption=pair.signing)
    message = envelop_authenticated(b"to the post", pair.encryption)
    assert AuthenticatedEnvelope.load(message).open(pair.encryption, received.pkcs8()) == b"to the post"
    with site.store.read() as session:
        (kept,) = session.scalars(sa.select(UserKeyRow))
    assert (kept.algorithm, kept.standing, kept.spki) == (
        encryption,
        Standing.IN_USE,
        pair.encryption.public_key.spki,
    )
    assert kept.blob.find(received.pkcs8()[-32:]) < 0


def test_the_signing_key_vouches_for_the_transport_key_and_nobody_else(site):
    """Whoever passes the request on cannot put a key of her own in."""
    key, transport, hers = (PrivateKey.generate(each) for each in ("ml-dsa-65", "ml-kem-768", "ml-kem-768"))
    info, algorithm, signature = der.elements(
        CertificationRequest.build(key, {}, transport=transport.public_key).der
    )
    swapped = der.sequence(
        info.replace(transport.public_key.spki, hers.public_key.spki), algorithm, signature
    )
    assert CertificationRequest(swapped).transport_key == hers.public_key
    with pytest.raises(BadSignature):
        site.ca.pairs.issue(REGISTRAR, asked(key, csr=swapped))
    twice = [*der.elements(info)[:3], der.tlv(0xA0, 2 * der.content(der.elements(info)[3]))]
    with pytest.raises(MalformedRequest):
        CertificationRequest(der.sequence(der.sequence(*twice), algorithm, signature))
    assert site.rows(holder="zhang") == []


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: wanted(None), TransportNeeded),
        (lambda: wanted(PrivateKey.generate("ecdsa-p256")), TransportUnwanted),
        (lambda: wanted(PrivateKey.generate("ml-dsa-65")), TransportUnwanted),
        (lambda: wanted(PrivateKey.generate("ml-kem-768"), signing="ecdsa-p256"), TransportUnwanted),
        (
            lambda: asked(csr=Application(PrivateKey.generate("ml-dsa-65").public_key, Name.of({}))),
            TransportNeeded,
        ),
    ],
    ids=["none", "an-ec-key", "one-that-signs", "beside-one-that-opens", "by-a-protocol"],
)
def test_what_is_refused_leaves_nothing(site, make, error):
    with pytest.raises(error):
        site.ca.pairs.issue(REGISTRAR, make())
    assert site.rows(holder="zhang") == []
    with site.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(UserKeyRow)) == 0
    assert site.events("ca.issue")[-1]["outcome"] == "refused"


def test_one_reference_one_pair_and_another_transport_key_is_another_request(site):
    key, transport = PrivateKey.generate("ml-dsa-65"), PrivateKey.generate("ml-kem-768")
    first = site.ca.pairs.issue(REGISTRAR, wanted(transport, key=key))
    assert site.ca.pairs.issue(REGISTRAR, wanted(transport, key=key)).fields() == first.fields()
    with pytest.raises(ReferenceReused):
        site.ca.pairs.issue(REGISTRAR, wanted(PrivateKey.generate("ml-kem-768"), key=key))
    with site.store.read() as session:
        assert [row.transport for row in session.scalars(sa.select(PairRow))] == [transport.public_key.spki]


@pytest.mark.parametrize("proof", ["none", "as-it-was", "another-key's"])
def test_a_transport_key_that_somebody_wrote_into_the_table_is_given_nothing(site, proof):
    """Seen to fail when the request that the signing key signed is not kept, or not compared."""
    transport, hers = PrivateKey.generate("ml-kem-768"), PrivateKey.generate("ml-kem-768")
    site.ca.pairs.issue(REGISTRAR, wanted(transport))
    own = CertificationRequest.build(PrivateKey.generate("ml-dsa-65"), {}, transport=hers.public_key)
    written = {"none": {"request": None}, "as-it-was": {}, "another-key's": {"request": own.der}}[proof]
    with site.store.engine.begin() as connection:
        connection.execute(sa.update(PairRow).values(transport=hers.public_key.spki, **written))
    with pytest.raises(KeyOfAnother):
        site.ca.pairs.envelope(CLERK, "pair-1")


def test_it_is_renewed_and_ended_as_one(site):
    old, new = PrivateKey.generate("ml-kem-768"), PrivateKey.generate("ml-kem-768")
    first = site.ca.pairs.issue(REGISTRAR, wanted(old))
    second = site.ca.pairs.issue(REGISTRAR, wanted(new, "pair-2", renews="pair-1"))
    with site.store.read() as session:
        kept = {row.id: row.standing for row in session.scalars(sa.select(UserKeyRow))}
    assert kept == {first.user_key: Standing.HISTORY, second.user_key: Standing.IN_USE}
    envelope = site.ca.pairs.envelope(CLERK, "pair-2")
    assert open_received(envelope, new, None, encryption=second.encryption)
    with pytest.raises(CannotDecrypt):
        open_received(envelope, old, None)
    site.ca.revoke(OFFICER, f"{second.encryption.serial:x}", "superseded")
    for certificate in (second.signing, second.encryption):
        assert isinstance(status(site, certificate), Revoked)
    with pytest.raises(PairEnded):
        site.ca.pairs.envelope(CLERK, "pair-2")


@pytest.mark.parametrize("recipient", ["signing", "encryption"])
def test_an_old_key_is_recovered_for_the_new_pair(site, recipient):
    """To her new signing certificate: by its transport key; to her new encryption certificate: by that one's own key."""
    safe = Safe.of(site)
    lost, transport = PrivateKey.generate("ml-kem-768"), PrivateKey.generate("ml-kem-768")
    safe.old = site.ca.pairs.issue(REGISTRAR, wanted(lost, "pq-1"))
    safe.new = site.ca.pairs.issue(REGISTRAR, wanted(transport, "pq-2"))
    id_ = safe.propose(recipient_pem=getattr(safe.new, recipient).pem)
    assert safe.approve(id_, "zhao", "qian") == "approved"
    assert safe.execute(id_) == "executed"
    envelope = site.keys.escrow.recovered(CLERK, id_)
    own = open_received(
        site.ca.pairs.envelope(CLERK, "pq-2"), transport, None, encryption=safe.new.encryption
    )
    key, named = (transport, None) if recipient == "signing" else (own, safe.new.encryption)
    assert open_received(envelope, key, named).public_key == safe.old.encryption.public_key
    with pytest.raises(CannotDecrypt):
        open_received(envelope, lost, named)
