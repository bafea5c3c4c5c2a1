"""Electronic seals: made here, read by OpenSSL; read here in the forms of all three standards; and every way to fail."""

from dataclasses import replace
from datetime import timedelta

import pytest

from yinxin.crypto import der, oids, seal
from yinxin.crypto.errors import BadSignature, CertificateRevoked, DigestMismatch, Expired, UnknownIssuer
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.path import RevocationEvidence
from yinxin.crypto.seal import Known, Picture, Version, signature
from yinxin.crypto.status import Reason, Revoked
from yinxin.crypto.suite import hash_algorithm
from yinxin.crypto.timestamps import Token, build_response, request
from yinxin.errors import YinxinError

DAY = timedelta(days=1)
CONTENT = b"<ofd:Signature/>"
SCOPE = "/Doc_0/Signs/Sign_0/Signature.xml"
PICTURE = Picture("PNG", b"\x89PNG picture", 42, 42)


def make(maker, user, at, **given):
    usual = {
        "id": "S0001",
        "type": seal.Kind.UNIT,
        "name": "某省人民政府",
        "users": [user.certificate],
        "picture": PICTURE,
        "created": at - 30 * DAY,
        "valid_from": at - 30 * DAY,
        "valid_until": at + 30 * DAY,
    }
    return seal.make(maker, **(usual | given))


def stamper(hierarchy, at, *carried):
    unit = hierarchy.timestamper()

    def stamp(value):
        hash_ = unit.key.public_key.signature_algorithm.hash
        asked = request(hash_, hash_.digest(value), 1 << 64)
        answer = build_response(
            asked,
            signer=unit.key,
            certificate=unit.certificate,
            chain=carried,
            policy="1.2.3",
            serial=7,
            at=at,
        )
        return Token.from_response(answer, asked).der

    return stamp


def known(hierarchy, *crls):
    return Known(
        hierarchy.anchors,
        (hierarchy.issuing.certificate,),
        RevocationEvidence(crls=crls),
        require_revocation=bool(crls),
    )


@pytest.fixture
def people(sm):
    return sm.person("制章机构"), sm.person("某省人民政府"), sm.person("他人")


@pytest.fixture
def sealed(sm, people, at):
    maker, user, _ = people
    return signature.build(
        make(maker, user, at), user, CONTENT, scope=SCOPE, at=at, timestamp=stamper(sm, at)
    )


@pytest.mark.parametrize("version", [Version.GBT_2020, Version.GMT_2025])
@pytest.mark.parametrize("by_digest", [False, True])
def test_what_is_made_says_what_was_asked_and_holds(classical, at, version, by_digest):
    maker, user = classical.person("制章机构"), classical.person("机关")
    stamp = stamper(classical, at - 30 * DAY) if version == Version.GMT_2025 else None
    made = make(maker, user, at, version=version, by_digest=by_digest, timestamp=stamp)
    again = seal.read(made.der)
    assert (again.version, again.name, again.id, again.type) == (version, "某省人民政府", "S0001", 1)
    assert (again.picture, again.maker) == (PICTURE, maker.certificate)
    assert (again.valid_from, again.valid_until) == (at - 30 * DAY, at + 30 * DAY)
    assert bool(again.certificates) is not by_digest
    put = signature.build(made, user, CONTENT, scope=SCOPE, at=at, timestamp=stamper(classical, at))
    held = signature.verify(put, CONTENT, known(classical), at=at + DAY)
    assert (held.seal, held.certificate, held.at, held.proved) == (made, user.certificate, at, True)
    assert signature.read(put).scope == SCOPE


def test_openssl_reads_the_structure_and_verifies_both_signatures(sm, people, sealed, openssl, files):
    shown = openssl("asn1parse", "-inform", "DER", "-in", files.write("put", sealed))
    for line in (
        "IA5STRING         :ES",
        "INTEGER           :04",
        "UTF8STRING        :某省人民政府",
        f":{SCOPE}",
    ):
        assert line in shown
    assert shown.count("OBJECT            :SM2-with-SM3") == 2
    assert shown.count("GENERALIZEDTIME") == 4
    given = signature.read(sealed)
    for each, by in ((given.seal, people[0]), (given, people[1])):
        public = files.write("public.der", by.certificate.public_key.spki)
        signed, value = files.write("signed", each.signed), files.write("value", each.signature)
        said = openssl(
            *("dgst", "-sm3", "-verify", public, "-keyform", "DER", "-signature", value),
            *("-sigopt", "distid:1234567812345678", signed),
        )
        assert "Verified OK" in said


def test_the_form_of_2014_is_read_and_verified(sm, people, at):
    """Written here by hand as GM/T 0031-2014 has it: the maker signs three fields, the user's certificate is signed too."""
    maker, user, _ = people
    utc = [der.time(each) for each in (at - 30 * DAY, at - 30 * DAY, at + 30 * DAY)]
    information = der.sequence(
        der.sequence(der.ia5("ES"), der.integer(1), der.ia5("OTHER")),
        der.ia5("S0001"),
        der.sequence(
            der.integer(1), der.utf8("某省人民政府"), der.sequence(der.octets(user.certificate.der)), *utc
        ),
        der.sequence(der.ia5("PNG"), der.octets(b"png"), der.integer(42), der.integer(42)),
    )
    algorithm = der.oid(oids.SM2_WITH_SM3)
    by = der.octets(maker.certificate.der)
    signed = maker.key.sign(der.sequence(information, by, algorithm))
    whole = der.sequence(information, der.sequence(by, algorithm, der.bits(signed)))
    digest = hash_algorithm("sm3").digest(CONTENT)
    fields = (der.integer(1), whole, der.bits(der.time(at)), der.bits(digest), der.ia5(SCOPE))
    to_sign = der.sequence(*fields, der.octets(user.certificate.der), algorithm)
    put = der.sequence(to_sign, der.bits(user.key.sign(to_sign)))
    held = signature.verify(put, CONTENT, known(sm), at=at, require_timestamp=False)
    assert (held.seal.version, held.at, held.proved) == (1, at, False)
    stale = der.sequence(der.sequence(*der.elements(to_sign)[:-1], der.oid(oids.SM3)), der.bits(b"x"))
    with pytest.raises(YinxinError):
        signature.verify(stale, CONTENT, known(sm), at=at, require_timestamp=False)


def test_nothing_in_it_can_be_changed_unnoticed(sm, people, sealed, at, flipped):
    """Seen to fail without the seal's own check, the user's list, the digest, and with certificates in the timestamp that nobody accounts for."""
    for changed in flipped(sealed, step=7):
        with pytest.raises(YinxinError):
            signature.verify(changed, CONTENT, known(sm), at=at)
    with pytest.raises(DigestMismatch):
        signature.verify(sealed, CONTENT + b" ", known(sm), at=at)


def test_each_thing_that_does_not_hold_is_named(sm, intl, people, at):
    """Seen to fail without each of: the maker's signature, its path, the seal's time, the list of users, the user's path."""
    maker, user, other = people
    made = make(maker, user, at)
    stamp = stamper(sm, at)

    def put(which=made, by=user, when=at, **given):
        forged = replace(which, certificates=(by.certificate.der,), valid_until=when + DAY)
        return signature.build(forged, by, CONTENT, scope=SCOPE, at=when, **({"timestamp": stamp} | given))

    def refused(error, encoded, *lists, reason=None):
        with pytest.raises(error) as found:
            signature.verify(encoded, CONTENT, known(sm, *lists), at=at + 90 * DAY)
        if reason:
            assert isinstance(found.value.facts["reason"], reason)

    refused(seal.NotASealUser, put(by=other))
    refused(seal.SealTimeUnproved, put(timestamp=None))
    refused(seal.SealTimeUnproved, put(when=at + DAY))  # it claims to be younger than its timestamp
    refused(seal.SealTimeUnproved, put(timestamp=stamper(intl, at)), reason=UnknownIssuer)
    # with a certificate in it that nobody accounts for
    refused(seal.SealTimeUnproved, put(timestamp=stamper(sm, at, intl.root.certificate)))
    late = at + 31 * DAY
    refused(seal.SealNotInForce, put(when=late, timestamp=stamper(sm, late)))
    # a maker that nobody trusts, one who was revoked before, and one whose certificate had ended before it made the seal
    stranger = intl.person("制章机构")
    refused(seal.SealMakerUntrusted, put(make(stranger, user, at)), reason=UnknownIssuer)
    ended = sm.person("制章机构", not_after=at - 60 * DAY)
    refused(seal.SealMakerUntrusted, put(make(ended, user, at)), reason=Expired)
    for who, error in ((maker, seal.SealMakerUntrusted), (user, seal.SealUserUntrusted)):
        revoked = Revoked(at - DAY, Reason.KEY_COMPROMISE)
        lists = (
            sm.crl(sm.issuing, [(who.certificate.serial, revoked)], at),
            sm.crl(sm.root, [], at),
        )
        refused(error, put(), *lists, reason=CertificateRevoked)
    # a seal that its maker did not sign so: another name in it, put on by whoever may use it
    other_name = seal.read(made.der.replace("某省".encode(), "某市".encode()))
    refused(BadSignature, put(other_name))
    # another key than that of the certificate
    thief = PrivateKey.generate("sm2")
    forged = object.__new__(Identity)
    for name, value in (("key", thief), ("certificate", user.certificate), ("chain", ())):
        object.__setattr__(forged, name, value)
    refused(BadSignature, put(by=forged))


def test_what_a_seal_cannot_say_is_not_made(people, at):
    maker, user, other = people
    for wrong in (
        {"users": []},
        {"id": "编号"},
        {"valid_until": at - 40 * DAY},
        {"picture": replace(PICTURE, width=0)},
        {"version": Version.GMT_2014},
        {"timestamp": lambda value: value},
    ):
        with pytest.raises(seal.MalformedSeal):
            make(maker, user, at, **wrong)
    made = make(maker, user, at)
    with pytest.raises(seal.NotASealUser):
        signature.build(made, other, CONTENT, scope=SCOPE, at=at)
    with pytest.raises(seal.SealNotInForce):
        signature.build(made, user, CONTENT, scope=SCOPE, at=at + 31 * DAY)
    with pytest.raises(seal.MalformedSeal):
        signature.build(made, user, CONTENT, scope="正文", at=at)
