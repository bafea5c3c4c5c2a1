"""The timestamp authority: OpenSSL believes it, every token is on record, and the clock never goes back."""

import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm as Sha,
)
from rfc3161_client import (
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from ca.errors import ClockUncertain, ClockWentBack
from kms.errors import HsmGone
from kms.sign import KeySigner
from tests.support.hollow import hollowed
from tests.support.openssl import openssl
from yinxin.crypto.errors import TimestampRejected, UnknownSuite
from yinxin.crypto.suite import SHA256, HashAlgorithm, hash_algorithm
from yinxin.crypto.timestamps import Token, build_rejection, request

from .conftest import Site

pytestmark = pytest.mark.engines("any")


SM3 = hash_algorithm("sm3")
DATA = "关于开展2026年度政务信息系统安全检查的通知".encode()


def stamped(site: Site, suite: str, hash_: HashAlgorithm = SHA256) -> Token:
    asked = request(hash_, hash_.digest(DATA), secrets.randbits(64))
    return Token.from_response(site.ca.timestamp(suite, asked), asked)


@pytest.mark.parametrize(("suite", "hash_"), [("intl", SHA256), ("intl", SM3), ("sm", SM3)])
def test_a_token_holds_and_is_on_record(site: Site, suite: str, hash_: HashAlgorithm) -> None:
    token = stamped(site, suite, hash_)
    root = site.ca.certificate(f"{suite}-root")
    token.verify(DATA, anchors=[root], require_revocation=False)
    assert abs(token.at - site.clock.now()) < timedelta(milliseconds=1)
    (event,) = site.events("ca.timestamp")
    assert event["subject"] == f"timestamp:{token.serial:x}"
    assert event["facts"]["imprint"] == hash_.digest(DATA).hex()
    assert event["outcome"] == "done"


def test_openssl_asks_and_verifies(site: Site, tmp_path: Path, served: Callable[[], str]) -> None:
    import httpx

    data, query, reply = tmp_path / "data", tmp_path / "query", tmp_path / "reply"
    data.write_bytes(DATA)
    openssl("ts", "-query", "-data", data, "-sha384", "-cert", "-out", query)
    headers = {"Content-Type": "application/timestamp-query"}
    answer = httpx.post(f"{served()}/tsa/intl", content=query.read_bytes(), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/timestamp-reply")
    reply.write_bytes(answer.content)
    trust = site.folder / "trust"
    said = openssl("ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", trust / "intl.root.pem", "-untrusted", trust / "intl.issuing.pem")  # fmt: skip
    assert "Verification: OK" in said


def rejected(site: Site, asked: bytes, suite: str = "intl") -> str:
    response = site.ca.timestamp(suite, asked)
    with pytest.raises(TimestampRejected) as refused:
        Token.from_response(response, asked)
    return str(refused.value.facts["reason"])


def test_a_clock_that_went_back_stops_the_service(site: Site) -> None:
    asked = request(SHA256, SHA256.digest(DATA))
    stamped(site, "intl")
    site.clock.advance(timedelta(seconds=-3))
    assert rejected(site, asked) == "timeNotAvailable"
    assert site.events()[-1]["error"] == ClockWentBack.code
    # the other suite's clock is its own; and within the stated accuracy a step back is no step back
    stamped(site, "sm")
    site.clock.advance(timedelta(seconds=2.5))
    stamped(site, "intl")
    site.clock.advance(timedelta(minutes=1))
    stamped(site, "intl")
    site.clock.advance(timedelta(seconds=-30))
    assert rejected(site, asked) == "timeNotAvailable"


def test_a_dead_security_module_gives_no_token_and_no_record_of_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> bytes:
        raise HsmGone(token="t", reason="gone")

    monkeypatch.setattr(KeySigner, "sign", gone)
    assert rejected(site, request(SHA256, SHA256.digest(DATA))) == "systemFailure"
    (event,) = site.events("ca.timestamp")
    assert (event["outcome"], event["error"]) == ("refused", HsmGone.code)


@pytest.mark.parametrize(
    ("asked", "failure"),
    [
        (b"", "badDataFormat"),
        (b"\x30" * 70_000, "badDataFormat"),
        (request(SHA256, SHA256.digest(DATA), policy="1.2.3"), "unacceptedPolicy"),
    ],
)
def test_a_bad_request_is_rejected_and_recorded(site: Site, asked: bytes, failure: str) -> None:
    assert site.ca.timestamp("intl", asked) == build_rejection(failure)
    assert site.events("ca.timestamp")[-1]["outcome"] == "refused"


def test_a_request_that_lacks_something_is_rejected(site: Site) -> None:
    """Seen to fail: an IndexError, and no answer of RFC 3161, where the imprint is by no algorithm."""
    asked = request(SHA256, SHA256.digest(DATA), 7)
    rejections = (build_rejection("badAlg"), build_rejection("badDataFormat"))
    granted = [each for each in hollowed(asked) if site.ca.timestamp("intl", each) not in rejections]
    # parameters, nonce, and the wish for certificates may be left out
    assert len(granted) == 3


def test_an_unknown_suite_is_named(site: Site) -> None:
    with pytest.raises(UnknownSuite):
        site.ca.timestamp("rot13", b"")


def test_no_certificate_for_timestamps_means_no_timestamps(site: Site) -> None:
    site.clock.advance(timedelta(days=2000))
    assert rejected(site, request(SHA256, SHA256.digest(DATA))) == "systemFailure"


def test_serial_numbers_differ(site: Site) -> None:
    assert len({stamped(site, "intl").serial for _ in range(5)}) == 5


# --- the clock ---------------------------------------------------------------------------------------------------

#: what chronyc -c tracking says of a good clock, and how it may be wrong
GOOD = "A9FEA97B,169.254.169.123,4,1795816000.123,0.000012,-0.000004,0.00003,-8.1,0.001,0.02,0.0004,0.0002,16.2,Normal"
REPORTS = {
    "not synchronised": GOOD.replace("Normal", "Not synchronised"),
    "off by two seconds": GOOD.replace("0.000012", "-2.0"),
    "far from its source": GOOD.replace("0.0004", "2.1"),
    "not a number": GOOD.replace("0.0002", "nan"),
    "cut off": GOOD[:40],
    "empty": "",
}


@pytest.mark.parametrize("fault", [*REPORTS, "missing", "old", "from the future"])
def test_a_clock_that_nothing_vouches_for_stops_the_service(
    founded: Callable[..., Site], tmp_path: Path, fault: str
) -> None:
    """Fails closed. Seen to fail, for each fault, with its condition left out of `ChronyReport.check`."""
    report = tmp_path / "tracking"
    site = founded(tsa_clock_report=str(report))

    def write(text: str, age: float = 0) -> None:
        report.write_text(text)
        at = site.clock.now().timestamp() - age
        os.utime(report, (at, at))

    write(GOOD)
    stamped(site, "intl")
    assert site.ca.health().ok
    if fault == "missing":
        report.unlink()
    else:
        write(REPORTS.get(fault, GOOD), {"old": 130, "from the future": -130}.get(fault, 0))
    assert rejected(site, request(SHA256, SHA256.digest(DATA))) == "timeNotAvailable"
    assert site.events()[-1]["error"] == ClockUncertain.code
    assert not site.ca.health().ok
    write(GOOD)
    stamped(site, "intl")


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512", "sm3"])
def test_every_imprint_is_stamped_and_the_token_is_der(site: Site, name: str) -> None:
    """RFC 5816: ESSCertIDv2; DER: certificates in order. What the request says comes back as it was."""
    from yinxin.crypto import der, oids

    hash_ = hash_algorithm(name)
    policy = site.ctx.settings.tsa_policy
    asked = request(hash_, hash_.digest(DATA), 1 << 63, certificates=True, policy=policy)
    response = site.ca.timestamp("intl", asked)
    der.check(response)
    token = Token.from_response(response, asked)
    assert (token.nonce, token.policy, token.digest) == (1 << 63, policy, hash_.digest(DATA))
    assert token.accuracy == timedelta(seconds=site.ctx.settings.tsa_accuracy_seconds)
    _, status_and_token = der.elements(response)
    signed = der.elements(der.tagged(der.elements(status_and_token)[1], 0))
    certificates = der.elements(b"\x31" + signed[3][1:], der.SET)
    assert len(certificates) == 3
    assert certificates == sorted(certificates)
    assert der.oid(oids.SIGNING_CERTIFICATE_V2) in response
    # without certificates when none are asked for (RFC 3161 2.4.1)
    bare = request(hash_, hash_.digest(DATA), certificates=False)
    assert Token.from_response(site.ca.timestamp("intl", bare), bare).certificates == ()


def test_what_a_request_may_not_say_has_its_own_refusal(site: Site) -> None:
    from yinxin.crypto import der

    good = der.elements(request(SHA256, SHA256.digest(DATA)))
    extension = der.sequence(der.oid("1.2.3"), der.octets(b""))
    sha1 = der.sequence(der.sequence(der.oid("1.3.14.3.2.26"), der.null()), der.octets(b"\0" * 20))
    short = der.sequence(der.sequence(der.oid(SHA256.oid), der.null()), der.octets(b"\0" * 20))
    for parts, failure in (
        ([*good, der.implicit(0, der.sequence(extension))], "unacceptedExtension"),
        ([der.integer(2), *good[1:]], "badDataFormat"),
        ([good[0], sha1, *good[2:]], "badAlg"),
        ([good[0], short, *good[2:]], "badDataFormat"),
    ):
        assert site.ca.timestamp("intl", der.sequence(*parts)) == build_rejection(failure)  # type: ignore[arg-type]


def test_a_client_library_that_is_not_ours_asks_and_verifies(site: Site) -> None:
    """rfc3161-client, which is Rust and OpenSSL; another message, or a nonce of another question, it refuses."""
    asked = TimestampRequestBuilder().data(DATA).hash_algorithm(Sha.SHA256).build()
    answer = decode_timestamp_response(site.ca.timestamp("intl", asked.as_bytes()))
    trusted = {name: x509.load_der_x509_certificate(site.ca.certificate(f"intl-{name}").der) for name in ("root", "issuing")}  # fmt: skip
    verifier = VerifierBuilder(
        roots=[trusted["root"]], intermediates=[trusted["issuing"]], nonce=asked.nonce
    ).build()
    assert verifier.verify_message(answer, DATA)
    with pytest.raises(VerificationError):
        verifier.verify_message(answer, DATA + b".")
    other = VerifierBuilder(roots=[trusted["root"]], intermediates=[trusted["issuing"]], nonce=1).build()
    with pytest.raises(VerificationError):
        other.verify_message(answer, DATA)
