from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import SubjectKeyIdentifier, load_der_x509_certificate
from cryptography.x509 import ocsp as library

from yinxin.crypto import der
from yinxin.crypto.errors import (
    BadSignature,
    KeyMismatch,
    MalformedRequest,
    MalformedStatus,
    ResponderNotAuthorized,
    StatusNotCurrent,
    StatusRefused,
    UnsupportedAlgorithm,
)
from yinxin.crypto.status import (
    CertId,
    Good,
    OcspAnswer,
    OcspError,
    OcspRequest,
    OcspResponse,
    Reason,
    Revoked,
    Unknown,
    build_ocsp_error,
    build_ocsp_response,
)
from yinxin.crypto.suite import SHA1, SHA256, SM3
from yinxin.errors import YinxinError

HOUR = timedelta(hours=1)
NONCE = bytes(range(32))


def answer(hierarchy, serial, status, at, hash_=SHA1, **given):
    identifier = CertId.of(serial, hierarchy.issuing.certificate, hash_)
    return OcspAnswer(
        identifier, status, given.get("this_update", at - HOUR), given.get("next_update", at + HOUR)
    )


def respond(hierarchy, answers, at, responder=None, **given):
    responder = responder or hierarchy.responder()
    usual = {
        "signer": responder.key,
        "responder": responder.certificate,
        "answers": answers,
        "produced_at": at,
    }
    return build_ocsp_response(**(usual | given))


STATUSES = pytest.mark.parametrize("hash_", [SHA1, SHA256, SM3], ids=lambda each: each.name)


@STATUSES
def test_question_and_answer(hierarchy, at, hash_):
    good, bad, alien = (
        hierarchy.person().certificate,
        hierarchy.person().certificate,
        hierarchy.person().certificate,
    )
    issuer = hierarchy.issuing.certificate
    asked = OcspRequest.load(
        OcspRequest.build([CertId.of(c.serial, issuer, hash_) for c in (good, bad, alien)], NONCE)
    )
    assert asked.nonce == NONCE
    assert all(each.is_from(issuer) and not each.is_from(hierarchy.root.certificate) for each in asked.ids)
    assert [each.serial for each in asked.ids] == [good.serial, bad.serial, alien.serial]
    revoked = Revoked(at - 2 * HOUR, Reason.SUPERSEDED)
    statuses = (Good(), revoked, Unknown())
    answers = [
        OcspAnswer(each, status, at, at + HOUR) for each, status in zip(asked.ids, statuses, strict=True)
    ]
    response = OcspResponse.load(respond(hierarchy, answers, at, nonce=asked.nonce))
    response.verify(issuer, at)
    assert response.nonce == NONCE
    assert response.produced_at == at
    assert [response.status_of(each, issuer).status for each in (good, bad, alien)] == list(statuses)
    assert response.status_of(hierarchy.person().certificate, issuer) is None


def test_openssl_verifies_the_answer(intl, at, openssl, files):
    person, responder = intl.person(), intl.responder()
    issuer = files.certificates("issuer.pem", intl.issuing.certificate)
    chain = files.certificates("chain.pem", intl.root.certificate, intl.issuing.certificate)
    certificate = files.certificates("person.pem", person.certificate)
    request = files.directory / "request.der"
    openssl("ocsp", "-issuer", issuer, "-cert", certificate, "-reqout", request)
    asked = OcspRequest.load(request.read_bytes())
    assert asked.nonce
    assert asked.ids[0].serial == person.certificate.serial
    data = respond(intl, [OcspAnswer(asked.ids[0], Good(), at, at + HOUR)], at, responder, nonce=asked.nonce)
    response = files.write("response.der", data)
    said = openssl(
        "ocsp", "-respin", response, "-reqin", request, "-no_nonce", "-issuer", issuer, "-cert", certificate, "-CAfile", chain,
        "-attime", str(int(at.timestamp())), "-validity_period", str(10**9),
    )  # fmt: skip
    assert "Response verify OK" in said
    assert f"{certificate}: good" in said
    assert "WARNING" not in said


def test_openssl_verifies_the_signature_of_the_sm2_one(sm, at, openssl, files):
    """`openssl ocsp` cannot be told the distinguishing identifier, so its `dgst` is asked for the signature itself."""
    responder = sm.responder()
    data = respond(sm, [answer(sm, 5, Good(), at)], at, responder)
    basic = der.content(der.elements(der.tagged(der.elements(data)[1], 0))[1])
    tbs, _, signature, _ = der.elements(basic)
    files.sm2(responder.certificate.public_key.spki, tbs, der.octets_of_bits(signature))
    openssl("ocsp", "-respin", files.write("r.der", data), "-resp_text", "-noverify")


def test_cryptography_reads_it_and_asks_us(intl, at):
    person = intl.person().certificate
    theirs = load_der_x509_certificate(person.der), load_der_x509_certificate(intl.issuing.certificate.der)
    builder = library.OCSPRequestBuilder().add_certificate(*theirs, hashes.SHA256())
    asked = OcspRequest.load(builder.build().public_bytes(Encoding.DER))
    revoked = Revoked(at - 2 * HOUR, Reason.KEY_COMPROMISE)
    read = library.load_der_ocsp_response(
        respond(intl, [OcspAnswer(asked.ids[0], revoked, at, at + HOUR)], at)
    )
    assert read.serial_number == person.serial
    assert read.certificate_status is library.OCSPCertStatus.REVOKED
    assert read.revocation_time_utc == revoked.at
    (responder,) = read.certificates
    assert read.responder_key_hash == SubjectKeyIdentifier.from_public_key(responder.public_key()).digest


def test_the_issuer_may_answer_itself(hierarchy, at):
    response = OcspResponse(respond(hierarchy, [answer(hierarchy, 5, Good(), at)], at, hierarchy.issuing))
    response.verify(hierarchy.issuing.certificate)
    bare = respond(
        hierarchy, [answer(hierarchy, 5, Good(), at)], at, hierarchy.issuing, include_certificate=False
    )
    OcspResponse(bare).verify(hierarchy.issuing.certificate)


def test_no_changed_octet_tells_another_status(hierarchy, at, flipped):
    """Octets outside the signature (the status of the response, the certificates) may only make it refused."""
    person = hierarchy.person().certificate
    data = respond(hierarchy, [answer(hierarchy, person.serial, Good(), at)], at, nonce=NONCE)
    for changed in flipped(data):
        try:
            found = OcspResponse(changed).status_of(person, hierarchy.issuing.certificate)
        except YinxinError:
            continue
        pytest.fail(f"a changed response said {found}")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"extended_key_usage": ("clientAuth",)}, "OCSPSigning"),
        ({"extended_key_usage": ()}, "OCSPSigning"),
        ({"extensions": ()}, "nocheck"),
        ({"not_after": None}, "not valid then"),
    ],
)
def test_who_may_not_answer(hierarchy, at, given, why):
    if "not_after" in given:
        given = {"not_after": at - HOUR}
    data = respond(hierarchy, [answer(hierarchy, 5, Good(), at)], at, hierarchy.responder(**given))
    with pytest.raises(ResponderNotAuthorized, match=why):
        OcspResponse(data).verify(hierarchy.issuing.certificate)


def test_a_responder_of_another_authority_may_not_answer(hierarchy, at):
    subject = hierarchy.issuing.certificate.subject
    twin = hierarchy.self_signed(hierarchy.suite, hierarchy.authority(subject))
    stranger = hierarchy.issue(hierarchy.template(subject, extended_key_usage=("OCSPSigning",)), by=twin)
    data = respond(hierarchy, [answer(hierarchy, 5, Good(), at)], at, stranger)
    with pytest.raises(ResponderNotAuthorized, match="not issued by it"):
        OcspResponse(data).verify(hierarchy.issuing.certificate)
    bare = respond(hierarchy, [answer(hierarchy, 5, Good(), at)], at, stranger, include_certificate=False)
    with pytest.raises(ResponderNotAuthorized, match="not in the response"):
        OcspResponse(bare).verify(hierarchy.issuing.certificate)


def test_the_same_serial_number_of_another_authority_is_another_certificate(hierarchy, at):
    person = hierarchy.person().certificate
    other = OcspAnswer(CertId.of(person.serial, hierarchy.root.certificate), Good(), at, at + HOUR)
    assert (
        OcspResponse(respond(hierarchy, [other], at)).status_of(person, hierarchy.issuing.certificate) is None
    )


def test_answers_have_their_time(hierarchy, at):
    response = OcspResponse(respond(hierarchy, [answer(hierarchy, 5, Good(), at)], at))
    for moment in (at - 2 * HOUR, at + 2 * HOUR):
        with pytest.raises(StatusNotCurrent):
            response.verify(hierarchy.issuing.certificate, moment)
    endless = OcspResponse(respond(hierarchy, [answer(hierarchy, 5, Good(), at, next_update=None)], at))
    with pytest.raises(StatusNotCurrent):
        endless.verify(hierarchy.issuing.certificate, at)


def test_a_forged_signature(hierarchy, at):
    responder = hierarchy.responder()

    class Forger:
        public_key = responder.key.public_key

        def sign(self, message):
            return hierarchy.root.key.sign(message)

    data = respond(hierarchy, [answer(hierarchy, 5, Good(), at)], at, responder, signer=Forger())
    with pytest.raises(BadSignature):
        OcspResponse(data).verify(hierarchy.issuing.certificate)
    with pytest.raises(KeyMismatch):
        respond(hierarchy, [], at, responder, signer=hierarchy.root.key)


@pytest.mark.parametrize("error", list(OcspError))
def test_errors_are_told(error, openssl, files):
    data = build_ocsp_error(error)
    with pytest.raises(StatusRefused, match=error.name.lower().split("_")[0]):
        OcspResponse(data)
    openssl("ocsp", "-respin", files.write("r.der", data), "-noverify", status=1)


def request_of(*parts):
    return der.sequence(der.sequence(*parts))


IDS = der.sequence(der.sequence(der.sequence(
    der.sequence(der.oid("1.2.840.113549.2.5"), der.null()), der.octets(bytes(16)), der.octets(bytes(16)), der.integer(1))))  # fmt: skip


def test_unknown_hashes_are_refused():
    with pytest.raises(UnsupportedAlgorithm):
        OcspRequest.load(request_of(IDS))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"junk", b"\x30\x00", request_of(), request_of(der.sequence()),
        request_of(der.sequence(), der.explicit(2, der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.48.1.2"), der.octets(der.octets(bytes(129))))))),
        request_of(der.sequence(), der.explicit(2, der.sequence(der.sequence(der.oid("1.2.3"), der.boolean(True), der.octets(b""))))),
    ],
)  # fmt: skip
def test_junk_is_no_request(data):
    with pytest.raises(MalformedRequest):
        OcspRequest.load(data)


@pytest.mark.parametrize("data", [b"", b"junk", b"\x30\x00", der.sequence(der.enumerated(0))])
def test_junk_is_no_response(data):
    with pytest.raises(MalformedStatus):
        OcspResponse(data)
