from datetime import timedelta

import pytest

from tests.support.hollow import hollowed
from yinxin.crypto import cms, der, oids, signed_data
from yinxin.crypto.errors import (
    BadSignature,
    DigestMismatch,
    KeyMismatch,
    MalformedSignature,
    UnsupportedAlgorithm,
)
from yinxin.crypto.keys import Identity
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.suite import SHA256
from yinxin.crypto.timestamps import Token, build_response, request
from yinxin.errors import YinxinError

CONTENT = "某政发〔2026〕1号 关于开展安全检查的通知".encode()
POLICY = "1.2.156.10197.9.1"


def stamper(hierarchy, at, signer=None):
    unit = hierarchy.timestamper()

    def stamp(value):
        asked = request(SHA256, SHA256.digest(value), 99)
        answer = build_response(
            asked,
            signer=signer(unit) if signer else unit.key,
            certificate=unit.certificate,
            chain=unit.chain,
            policy=POLICY,
            serial=1,
            at=at,
        )
        return Token.from_response(answer, asked).der

    return stamp


def test_sign_and_verify(hierarchy, at):
    person = hierarchy.person()
    signed = cms.sign_detached(person, CONTENT, signed_at=at)
    by = cms.verify_detached(signed, CONTENT)
    assert by.certificate == person.certificate
    assert by.signing_time == at
    assert set(by.chain) == set(person.chain)
    assert by.timestamp_token is None
    path = validate(
        by.certificate, by.chain, hierarchy.anchors, at=at, usage=Usage.SIGNATURE, require_revocation=False
    )
    assert path.anchor == hierarchy.root.certificate
    with pytest.raises(DigestMismatch):
        cms.verify_detached(signed, CONTENT + b".")


def test_what_a_key_will_be_asked_to_sign_is_known_before(hierarchy, at):
    """By it a passkey says yes to a signature that is made later. Seen to fail with another signing time."""
    person = hierarchy.person()
    told = cms.to_sign(person.certificate, CONTENT, signed_at=at)
    signed = cms.sign_detached(person, CONTENT, signed_at=at)
    person.certificate.public_key.verify(cms.signature_value(signed), told)
    later = cms.to_sign(person.certificate, CONTENT, signed_at=at + timedelta(seconds=1))
    with pytest.raises(BadSignature):
        person.certificate.public_key.verify(cms.signature_value(signed), later)


def test_the_content_may_be_inside(hierarchy, at):
    signed = cms.sign_attached(hierarchy.person(), CONTENT, signed_at=None)
    content, by = cms.verify_attached(signed)
    assert content == CONTENT
    assert by.signing_time is None
    with pytest.raises(MalformedSignature):
        cms.verify_detached(signed, CONTENT)
    with pytest.raises(MalformedSignature):
        cms.verify_attached(cms.sign_detached(hierarchy.person(), CONTENT, signed_at=at))
    assert cms.verify_attached(cms.sign_attached(hierarchy.person(), b"", signed_at=at))[0] == b""


def test_a_signature_that_lacks_something_is_refused_as_such(hierarchy, at):
    """Seen to fail: by a plain IndexError or ValueError, for which nobody has an answer, where it names no certificate."""
    signed = cms.sign_detached(hierarchy.person(), CONTENT, signed_at=at)
    for each in hollowed(signed):
        try:
            by = cms.verify_detached(each, CONTENT)
        except YinxinError:
            continue
        # but for the certificates that come along
        assert by.certificate == cms.verify_detached(signed, CONTENT).certificate


def test_openssl_verifies_it(intl, at, openssl, files):
    signed = files.write("signed.der", cms.sign_detached(intl.person(), CONTENT, signed_at=at))
    content, root = files.write("content", CONTENT), files.certificates("root.pem", intl.root.certificate)
    base = (
        "cms",
        "-verify",
        "-cades",
        "-binary",
        "-inform",
        "DER",
        "-in",
        signed,
        "-CAfile",
        root,
        "-attime",
        str(int(at.timestamp())),
        "-purpose",
        "any",
    )
    assert "CAdES Verification successful" in openssl(
        *base, "-content", content, "-out", files.directory / "out"
    )
    other = files.write("other", b"other")
    openssl(*base, "-content", other, "-out", files.directory / "out", status=4)


def test_openssl_verifies_the_signature_of_the_sm_one(sm, at, openssl, files):
    """`openssl cms` knows neither the GM/T 0010 types nor SM2, so its `dgst` is asked for digest and signature."""
    person = sm.person()
    signed = signed_data.SignedData.load(cms.sign_detached(person, CONTENT, signed_at=at), "CMS")
    files.sm2(person.certificate.public_key.spki, signed.signer.signed, signed.signer.signature)
    digest = der.content(signed.signer.values[oids.MESSAGE_DIGEST]).hex()
    assert digest in openssl("dgst", "-sm3", files.write("content", CONTENT))


def test_the_sm_one_speaks_gmt_0010(sm, at):
    signed = cms.sign_detached(sm.person(), CONTENT, signed_at=at)
    assert der.dotted(der.elements(signed)[0]) == "1.2.156.10197.6.1.4.2.2"
    assert signed_data.SignedData.load(signed, "CMS").content_type == "1.2.156.10197.6.1.4.2.1"
    for dotted in ("1.2.156.10197.1.301.1", "1.2.156.10197.1.401"):
        assert der.oid(dotted) in signed


def test_what_openssl_signs_is_read(intl, at, openssl, files):
    person = intl.person()
    key, content = files.write("key.der", person.key.pkcs8()), files.write("content", CONTENT)
    signer, out = files.certificates("signer.pem", person.certificate), files.directory / "theirs.der"
    base = (
        "cms",
        "-sign",
        "-binary",
        "-in",
        content,
        "-signer",
        signer,
        "-inkey",
        key,
        "-keyform",
        "DER",
        "-outform",
        "DER",
        "-out",
        out,
    )
    openssl(*base, "-cades")
    by = cms.verify_detached(out.read_bytes(), CONTENT)
    assert by.certificate == person.certificate
    openssl(*base, "-cades", "-nodetach", "-keyid")
    assert cms.verify_attached(out.read_bytes())[0] == CONTENT
    openssl(*base, "-cades", "-nocerts")
    assert cms.verify_detached(out.read_bytes(), CONTENT, certificates=[person.certificate]).chain == ()
    with pytest.raises(MalformedSignature):
        cms.verify_detached(out.read_bytes(), CONTENT)
    openssl(*base)
    with pytest.raises(MalformedSignature, match=r"16\.2\.47"):
        cms.verify_detached(out.read_bytes(), CONTENT)


def test_a_timestamped_signature(hierarchy, at):
    person = hierarchy.person()
    signed = cms.sign_detached(
        person, CONTENT, signed_at=at, timestamp=stamper(hierarchy, at + timedelta(seconds=1))
    )
    by = cms.verify_detached(signed, CONTENT)
    assert by.timestamp_token.at == at + timedelta(seconds=1)
    value = cms.signature_value(signed)
    by.timestamp_token.verify(value, anchors=hierarchy.anchors, require_revocation=False)
    with pytest.raises(MalformedSignature):
        cms.with_timestamp(signed, by.timestamp_token.der)


def test_a_timestamp_can_be_added_later_and_changes_nothing_else(hierarchy, at):
    signed = cms.sign_detached(hierarchy.person(), CONTENT, signed_at=at)
    value = cms.signature_value(signed)
    stamped = cms.with_timestamp(signed, stamper(hierarchy, at)(value))
    assert cms.signature_value(stamped) == value
    assert cms.verify_detached(stamped, CONTENT).timestamp_token is not None
    with pytest.raises(DigestMismatch):
        cms.with_timestamp(signed, stamper(hierarchy, at)(b"something else"))


def test_openssl_still_verifies_a_timestamped_one(intl, at, openssl, files):
    made = cms.sign_detached(intl.person(), CONTENT, signed_at=at, timestamp=stamper(intl, at))
    content, root = files.write("content", CONTENT), files.certificates("root.pem", intl.root.certificate)
    openssl("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", files.write("s.der", made), "-CAfile", root,
            "-attime", str(int(at.timestamp())), "-purpose", "any", "-content", content, "-out", files.directory / "out")  # fmt: skip


def test_a_timestamp_of_another_signature_is_found_out(hierarchy, at):
    signed = cms.sign_detached(hierarchy.person(), CONTENT, signed_at=at)
    token = stamper(hierarchy, at)(b"something else")
    with pytest.raises(DigestMismatch):
        cms.verify_detached(signed_data.add_unsigned(signed, oids.SIGNATURE_TIMESTAMP, token), CONTENT)


def test_a_forged_timestamp_is_found_out(hierarchy, at):
    class Forger:
        def __init__(self, unit):
            self.public_key = unit.key.public_key

        def sign(self, message):
            return hierarchy.root.key.sign(message)

    signed = cms.sign_detached(
        hierarchy.person(), CONTENT, signed_at=at, timestamp=stamper(hierarchy, at, Forger)
    )
    with pytest.raises(BadSignature, match="timestamp"):
        cms.verify_detached(signed, CONTENT)


def test_no_changed_octet_gives_another_signer_content_or_time(hierarchy, at, flipped):
    """What the signature does not cover (the accompanying certificates) may be lost, never replaced unseen."""
    person = hierarchy.person()
    signed = cms.sign_attached(Identity(person.key, person.certificate), CONTENT, signed_at=at)
    for data in flipped(signed):
        try:
            content, by = cms.verify_attached(data)
        except YinxinError:
            continue
        assert (content, by.certificate, by.signing_time) == (CONTENT, person.certificate, at)


def test_the_signature_itself_covers_every_octet_of_its_attributes(hierarchy, at, flipped):
    signed = cms.sign_detached(hierarchy.person(), CONTENT, signed_at=at)
    attributes = signed_data.SignedData.load(signed, "CMS").signer.signed
    start = signed.index(attributes[1:]) - 1
    assert start > 0
    for data in flipped(signed, start, start + len(attributes)):
        with pytest.raises(YinxinError):
            cms.verify_detached(data, CONTENT)


def parts(signed):
    """(the fields of SignedData, the fields of its SignerInfo)."""
    fields = der.elements(der.tagged(der.elements(signed)[1], 0))
    return fields, der.elements(der.elements(fields[-1], der.SET)[0])


def joined(signed, fields, *infos):
    fields = [*fields[:-1], der.set_of([der.sequence(*info) for info in infos])]
    return der.sequence(der.elements(signed)[0], der.explicit(0, der.sequence(*fields)))


def test_several_signers_are_not_read_as_one(intl, at):
    signed = cms.sign_detached(intl.person(), CONTENT, signed_at=at)
    fields, info = parts(signed)
    _, other = parts(cms.sign_detached(intl.person(), CONTENT, signed_at=at))
    with pytest.raises(MalformedSignature):
        cms.verify_detached(joined(signed, fields, info, other), CONTENT)


def test_a_signature_without_attributes_is_refused(intl, at):
    signed = cms.sign_detached(intl.person(), CONTENT, signed_at=at)
    fields, info = parts(signed)
    bare = [*info[:3], info[4], der.octets(intl.issuing.key.sign(CONTENT))]
    with pytest.raises(MalformedSignature):
        cms.verify_detached(joined(signed, fields, bare), CONTENT)


def test_an_attribute_twice_is_refused(intl, at):
    person = intl.person()
    signed = cms.sign_detached(person, CONTENT, signed_at=at)
    fields, info = parts(signed)
    attributes = der.elements(info[3], 0xA0)
    twice = der.set_of([*attributes, attributes[0]])
    forged = [*info[:3], der.implicit(0, twice), info[4], der.octets(person.key.sign(twice))]
    with pytest.raises(MalformedSignature, match="twice"):
        cms.verify_detached(joined(signed, fields, forged), CONTENT)


def test_the_content_type_is_signed(intl, at):
    signed = cms.sign_attached(intl.person(), CONTENT, signed_at=at)
    fields, info = parts(signed)
    fields[2] = der.sequence(der.oid(oids.GM_DATA), *der.elements(fields[2])[1:])
    with pytest.raises(MalformedSignature, match="content type"):
        cms.verify_attached(joined(signed, fields, info))


def test_digest_and_signature_algorithm_belong_together(intl, at):
    signed = cms.sign_detached(intl.person(), CONTENT, signed_at=at)
    fields, info = parts(signed)
    info[4] = der.sequence(der.oid("1.2.840.10045.4.3.3"))
    with pytest.raises(UnsupportedAlgorithm):
        cms.verify_detached(joined(signed, fields, info), CONTENT)


def test_a_timestamp_token_is_no_document_signature(intl, at):
    token = stamper(intl, at)(b"x")
    with pytest.raises(MalformedSignature):
        cms.verify_attached(token)


def test_a_wrong_key(hierarchy, at):
    person = hierarchy.person()
    with pytest.raises(KeyMismatch):
        Identity(hierarchy.root.key, person.certificate)
    signed = cms.sign_detached(person, CONTENT, signed_at=at)
    fields, info = parts(signed)
    forged = der.set_of(der.elements(info[3], 0xA0))
    info[5] = der.octets(hierarchy.root.key.sign(forged))
    with pytest.raises(BadSignature):
        cms.verify_detached(joined(signed, fields, info), CONTENT)


@pytest.mark.parametrize("data", [b"", b"junk", b"\x30\x00", b"\x30\x80\x06\x09"])
def test_junk_is_no_signature(data):
    with pytest.raises(MalformedSignature):
        cms.verify_detached(data, CONTENT)
