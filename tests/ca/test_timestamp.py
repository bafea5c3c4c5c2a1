"""The timestamp authority: OpenSSL believes it, every token is on record, and the clock never goes back."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ca.errors import ClockWentBack
from kms.errors import HsmGone
from kms.sign import KeySigner
from tests.support.openssl import openssl
from yinxin.crypto.errors import TimestampRejected, UnknownSuite
from yinxin.crypto.suite import SHA256, HashAlgorithm, hash_algorithm
from yinxin.crypto.timestamps import Token, request

from .conftest import Site

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
    from yinxin.crypto.timestamps import build_rejection

    assert site.ca.timestamp("intl", asked) == build_rejection(failure)
    assert site.events("ca.timestamp")[-1]["outcome"] == "refused"


def test_an_unknown_suite_is_named(site: Site) -> None:
    with pytest.raises(UnknownSuite):
        site.ca.timestamp("rot13", b"")


def test_no_certificate_for_timestamps_means_no_timestamps(site: Site) -> None:
    site.clock.advance(timedelta(days=2000))
    assert rejected(site, request(SHA256, SHA256.digest(DATA))) == "systemFailure"


def test_serial_numbers_differ(site: Site) -> None:
    assert len({stamped(site, "intl").serial for _ in range(5)}) == 5
