from datetime import timedelta

import pytest

from yinxin.crypto import der, oids, signed_data
from yinxin.crypto.errors import (
    AnswerMismatch,
    BadSignature,
    DigestMismatch,
    Expired,
    KeyMismatch,
    MalformedRequest,
    MalformedSignature,
    TimestampRefused,
    TimestampRejected,
    UnknownIssuer,
    UsageNotAllowed,
)
from yinxin.crypto.suite import SHA1, SHA256, SHA384, SHA512, SM3
from yinxin.crypto.timestamps import TimestampRequest, Token, build_rejection, build_response, request
from yinxin.errors import YinxinError

POLICY = "1.2.156.10197.9.1"
MESSAGE = "关于开展安全检查的通知".encode()
NONCE = (1 << 63) + 5
HASHES = pytest.mark.parametrize("hash_", [SHA256, SHA384, SHA512, SM3], ids=lambda each: each.name)


def ask(hash_=SHA256, **given):
    return request(hash_, hash_.digest(MESSAGE), **({"nonce": NONCE} | given))


def grant(hierarchy, asked, at, unit=None, **given):
    unit = unit or hierarchy.timestamper()
    usual = {
        "signer": unit.key,
        "certificate": unit.certificate,
        "chain": unit.chain[:1],
        "policy": POLICY,
        "serial": 42,
        "at": at,
        "accuracy": timedelta(seconds=1, milliseconds=500, microseconds=7),
    }
    return build_response(asked, **(usual | given))


@HASHES
def test_question_and_answer(hierarchy, at, hash_):
    asked = ask(hash_)
    token = Token.from_response(grant(hierarchy, asked, at + timedelta(microseconds=250_999)), asked)
    assert (token.hash, token.digest, token.nonce, token.policy, token.serial) == (
        hash_,
        hash_.digest(MESSAGE),
        NONCE,
        POLICY,
        42,
    )
    assert token.at == at + timedelta(milliseconds=250)
    assert token.accuracy == timedelta(seconds=1, milliseconds=500, microseconds=7)
    path = token.verify(MESSAGE, anchors=hierarchy.anchors, require_revocation=False)
    assert path.at == token.at
    assert path.anchor == hierarchy.root.certificate
    token.verify(imprint=hash_.digest(MESSAGE), anchors=hierarchy.anchors, require_revocation=False)
    again = Token.load(token.der)
    assert (again.at, again.serial) == (token.at, 42)


@pytest.mark.parametrize("hash_", [SHA256, SHA384, SHA512], ids=lambda each: each.name)
def test_openssl_verifies_it(intl, at, openssl, files, hash_):
    data = files.write("data", MESSAGE)
    query = files.directory / "q.tsq"
    openssl("ts", "-query", "-data", data, f"-{hash_.name}", "-cert", "-out", query)
    response = files.write("r.tsr", grant(intl, query.read_bytes(), at))
    root = files.certificates("root.pem", intl.root.certificate)
    said = openssl(
        "ts",
        "-verify",
        "-in",
        response,
        "-queryfile",
        query,
        "-CAfile",
        root,
        "-attime",
        str(int(at.timestamp())),
    )
    assert "Verification: OK" in said
    said = openssl(
        "ts", "-verify", "-in", response, "-data", data, "-CAfile", root, "-attime", str(int(at.timestamp()))
    )
    assert "Verification: OK" in said
    other = files.write("other", b"other")
    openssl(
        "ts",
        "-verify",
        "-in",
        response,
        "-data",
        other,
        "-CAfile",
        root,
        "-attime",
        str(int(at.timestamp())),
        status=1,
    )


def test_openssl_reads_the_sm_one_and_verifies_its_signature(sm, at, openssl, files):
    data, query = files.write("data", MESSAGE), files.directory / "q.tsq"
    openssl("ts", "-query", "-data", data, "-sm3", "-cert", "-out", query)
    unit = sm.timestamper()
    answer = grant(sm, query.read_bytes(), at, unit)
    said = openssl("ts", "-reply", "-in", files.write("r.tsr", answer), "-text")
    assert "Hash Algorithm: sm3" in said
    assert "Status: Granted." in said
    signer = signed_data.SignedData.load(
        Token.from_response(answer, query.read_bytes()).der, "timestamp"
    ).signer
    public = files.write("public.der", unit.certificate.public_key.spki)
    given, signed = files.write("signature", signer.signature), files.write("signed", signer.signed)
    identity = ("-sigopt", "distid:1234567812345678")
    openssl("dgst", "-sm3", "-verify", public, "-keyform", "DER", *identity, "-signature", given, signed)


def test_certificates_come_in_der_order_and_only_when_asked_for(hierarchy, at):
    unit = hierarchy.timestamper()
    token = Token.from_response(grant(hierarchy, ask(), at, unit, chain=unit.chain), ask())
    listed = [each.der for each in token.certificates]
    assert listed == sorted(listed)
    assert len(listed) == 3
    bare = ask(certificates=False)
    token = Token.from_response(grant(hierarchy, bare, at, unit), bare)
    assert token.certificates == ()
    more = (unit.certificate, *unit.chain)
    token.verify(MESSAGE, anchors=hierarchy.anchors, intermediates=more, require_revocation=False)
    with pytest.raises(MalformedSignature):
        token.verify(MESSAGE, anchors=hierarchy.anchors, require_revocation=False)


def test_an_answer_must_fit_its_question(hierarchy, at):
    answer = grant(hierarchy, ask(), at)
    for field, other in (
        ("imprint", request(SHA256, SHA256.digest(b"other"), NONCE)),
        ("nonce", ask(nonce=1)),
        ("nonce", ask(nonce=None)),
        ("policy", ask(policy="1.2.3")),
    ):
        with pytest.raises(AnswerMismatch) as caught:
            Token.from_response(answer, other)
        assert caught.value.facts["field"] == field


def test_what_is_verified(hierarchy, at):
    token = Token.from_response(grant(hierarchy, ask(), at), ask())
    given = {"anchors": hierarchy.anchors, "require_revocation": False}
    with pytest.raises(DigestMismatch):
        token.verify(b"other", **given)
    with pytest.raises(DigestMismatch):
        token.verify(imprint=bytes(32), **given)
    with pytest.raises(ValueError, match="imprint"):
        token.verify(**given)
    with pytest.raises(UnknownIssuer):
        token.verify(MESSAGE, anchors=(), require_revocation=False)
    with pytest.raises(Expired):
        token.verify(MESSAGE, at=at + timedelta(days=4000), **given)


@pytest.mark.parametrize(
    "given",
    [
        {"extended_key_usage": ("timeStamping", "clientAuth")},
        {"extended_key_usage": ("clientAuth",)},
        {"extended_key_usage": ()},
    ],
)
def test_only_a_timestamp_unit_may_stamp(hierarchy, at, given):
    token = Token.from_response(grant(hierarchy, ask(), at, hierarchy.timestamper(**given)), ask())
    with pytest.raises(UsageNotAllowed):
        token.verify(MESSAGE, anchors=hierarchy.anchors, require_revocation=False)


def test_no_changed_octet_tells_another_time(hierarchy, at, flipped):
    token = Token.from_response(grant(hierarchy, ask(), at), ask()).der
    for data in flipped(token):
        with pytest.raises(YinxinError):
            Token.load(data).verify(MESSAGE, anchors=hierarchy.anchors, require_revocation=False)


def test_another_certificate_for_the_same_key_does_not_stand_in(hierarchy, at):
    """RFC 5035: the signer named its certificate, so one with the same key, name and serial number is another."""
    unit = hierarchy.timestamper()
    twin = hierarchy.issue(
        hierarchy.template(unit.certificate.subject, extended_key_usage=("timeStamping",)), key=unit.key
    )
    bare = ask(certificates=False)
    token = Token.from_response(grant(hierarchy, bare, at, unit), bare)
    with pytest.raises(MalformedSignature):
        token.check_signature([twin.certificate])


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"", "badDataFormat"),
        (b"junk", "badDataFormat"),
        (der.sequence(der.integer(2), der.sequence()), "badDataFormat"),
        (
            der.sequence(
                der.integer(1), der.sequence(der.sequence(der.oid(SHA1.oid)), der.octets(bytes(20)))
            ),
            "badAlg",
        ),
        (
            der.sequence(
                der.integer(1), der.sequence(der.sequence(der.oid(SHA256.oid)), der.octets(bytes(20)))
            ),
            "badDataFormat",
        ),
        (der.sequence(*der.elements(ask()), der.explicit(0, der.null())), "unacceptedExtension"),
        (der.sequence(*der.elements(ask()), der.null()), "badDataFormat"),
        (der.sequence(*der.elements(ask()), der.integer(1)), "badDataFormat"),
        (ask(policy="1.2.3"), "unacceptedPolicy"),
    ],
)
def test_bad_questions_are_refused_by_name(intl, at, data, failure, openssl):
    with pytest.raises(TimestampRefused) as caught:
        grant(intl, data, at)
    assert caught.value.facts["failure"] == failure
    rejection = build_rejection(failure)
    with pytest.raises(TimestampRejected, match=failure):
        Token.from_response(rejection, ask())
    assert "Status: Rejected." in openssl("ts", "-reply", "-in", "/dev/stdin", "-text", input=rejection)


def test_openssls_questions_are_read(openssl, files):
    query = files.directory / "q.tsq"
    openssl(
        "ts", "-query", "-digest", "ab" * 32, "-sha256", "-tspolicy", "1.2.3.4", "-no_nonce", "-out", query
    )
    asked = TimestampRequest.load(query.read_bytes())
    assert (asked.hash, asked.digest.hex(), asked.policy, asked.nonce, asked.certificates) == (
        SHA256,
        "ab" * 32,
        "1.2.3.4",
        None,
        False,
    )
    with pytest.raises(MalformedRequest):
        request(SHA256, b"short")


def test_a_forged_token(hierarchy, at):
    unit = hierarchy.timestamper()

    class Forger:
        public_key = unit.key.public_key

        def sign(self, message):
            return hierarchy.root.key.sign(message)

    token = Token.from_response(grant(hierarchy, ask(), at, unit, signer=Forger()), ask())
    with pytest.raises(BadSignature):
        token.check_signature()
    with pytest.raises(KeyMismatch):
        grant(hierarchy, ask(), at, unit, signer=hierarchy.root.key)


def test_a_signature_over_something_else_is_no_token(hierarchy, at):
    unit = hierarchy.timestamper()
    common = {
        "signer": unit.key,
        "certificate": unit.certificate,
        "certificates": (unit.certificate,),
        "embed": True,
    }
    for content, kind in ((b"x", oids.DATA), (b"x", oids.TST_INFO), (der.sequence(), oids.TST_INFO)):
        with pytest.raises(MalformedSignature):
            Token.load(signed_data.build(content=content, content_type=kind, **common))
    for junk in (b"", b"junk", b"\x30\x00"):
        with pytest.raises(MalformedSignature):
            Token.load(junk)
        with pytest.raises(MalformedSignature):
            Token.from_response(junk, ask())
