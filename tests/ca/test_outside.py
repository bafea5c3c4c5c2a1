"""Timestamps of an outside authority: OpenSSL's, and another site of ours. Nothing is kept that does not hold in every part, and our
own unit stands in, on record."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from ca.outside.authority import Outside
from ca.outside.errors import OutsideMisconfigured, OutsideRefused, OutsideUnreachable
from ca.outside.models import OutsideRow
from ca.outside.order import Order
from ca.outside.settings import OutsideSettings
from tests.evidence.eras import era
from tests.support.openssl import openssl
from yinxin import steps
from yinxin.act import SYSTEM
from yinxin.crypto import timestamps
from yinxin.crypto.pem import encode
from yinxin.crypto.suite import SHA256
from yinxin.crypto.timestamps import TimestampRequest, Token

from .conftest import Site

pytestmark = pytest.mark.engines("any")

MESSAGE = "检查点".encode()
POLICY = "1.2.156.1.9"
CONFIG = f"""
[tsa]
default_tsa = unit
[unit]
serial = {{folder}}/serial
signer_digest = sha256
default_policy = {POLICY}
other_policies = 1.2.156.1.10
digests = sha256, sha384
accuracy = secs:1
ess_cert_id_alg = sha256
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[signing]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@contextmanager
def serving(answer) -> Iterator[str]:
    """An HTTP server on this machine; `answer` is given the request's octets and gives status, kind and octets."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, kind, data = answer(body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/tsa"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def unit(tmp_path_factory) -> Path:
    """A root and a unit made by OpenSSL."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "config").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    config = ("-config", folder / "config")
    openssl(*("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", folder / "root.key", "-out", folder / "root.pem", "-subj", "/CN=outside root"),
            *("-days", "30", "-extensions", "root"), *config)  # fmt: skip
    for name in ("stamping", "signing"):
        openssl(*("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *config),
                *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr", "-subj", f"/CN=outside {name}"))  # fmt: skip
        openssl(*("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "root.pem", "-CAkey", folder / "root.key"),
                *("-CAcreateserial", "-days", "20", "-extfile", folder / "config", "-extensions", name),
                *("-out", folder / f"{name}.pem"))  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def openssl_tsa(unit):
    """`openssl ts -reply` behind HTTP."""

    def answer(asked):
        (unit / "query").write_bytes(asked)
        openssl(*("ts", "-reply", "-config", unit / "config", "-queryfile", unit / "query"),
                *("-inkey", unit / "stamping.key", "-signer", unit / "stamping.pem", "-out", unit / "reply"))  # fmt: skip
        return 200, "application/timestamp-reply", (unit / "reply").read_bytes()

    with serving(answer) as url:
        yield url


def order(site, **authorities) -> Order:
    made = [Outside(name, OutsideSettings(**settings)) for name, settings in authorities.items()]
    return Order(site.store, made)


def stamp(order):
    return order.stamp(MESSAGE, "intl", SHA256, SYSTEM)


def row(site, name):
    with site.store.read() as session:
        return session.get(OutsideRow, name)


def test_openssls_authority(site: Site, unit, openssl_tsa):
    trust = str(unit / "root.pem")
    site.ctx.outside.authorities = (
        Outside("national", OutsideSettings(url=openssl_tsa, trust_file=trust, policy=POLICY)),
    )
    token = Token.load(site.ca.timestamps.stamp(MESSAGE, "intl", SYSTEM))
    assert token.policy == POLICY
    assert token.nonce
    assert site.ca.timestamps.verify(token.der, MESSAGE) == token.at
    vouched = site.ca.timestamps.standing(token.der)
    assert vouched.path.leaf.subject.common_name == "outside stamping"
    assert vouched.crls == ()
    (event,) = site.events("ca.timestamp-outside")
    assert (event["outcome"], event["facts"]["authority"]) == ("done", "national")
    assert event["facts"]["imprint"] == SHA256.digest(MESSAGE).hex()
    assert site.events("ca.timestamp") == []
    # another suite has none outside
    assert (
        site.ca.timestamps.standing(site.ca.timestamps.stamp(MESSAGE, "sm", SYSTEM)).path.leaf.public_key.kind
        == "sm2"
    )


def test_another_site_of_ours(site: Site, tmp_path):
    other = era("ecdsa", site.clock.now() - timedelta(days=30))
    (tmp_path / "root.pem").write_text(other.root.pem)
    (tmp_path / "lists.pem").write_text(pem_of(other.crl(site.clock.now())))
    with serving(
        lambda asked: (200, "application/timestamp-reply", reply(other, asked, site.clock.now()))
    ) as url:
        settings = {
            "url": url,
            "trust_file": str(tmp_path / "root.pem"),
            "lists_file": str(tmp_path / "lists.pem"),
        }
        outside = order(site, neighbour=settings)
        token = stamp(outside)
        path, lists = outside.standing(token)
        assert path.leaf == other.certificate
        assert len(lists) == 1
        # its unit is revoked: from the list that somebody put there
        other.revoke(site.clock.now() - timedelta(days=1))
        (tmp_path / "lists.pem").write_text(pem_of(other.crl(site.clock.now())))
        assert stamp(outside) is None
        assert row(site, "neighbour").error == "ca.outside_refused"
    (failed,) = [each for each in site.events("ca.timestamp-outside") if each["outcome"] == "failed"]
    assert failed["facts"]["stands_in"] == "own"


def pem_of(der: bytes) -> str:
    return encode("X509 CRL", der)


def reply(by, asked, at, *, nonce="same", message=None, policy=None, hash_=None):
    read = TimestampRequest.load(asked)
    changed = timestamps.request(
        hash_ or read.hash,
        (hash_ or read.hash).digest(message) if message else read.digest,
        read.nonce if nonce == "same" else nonce,
    )
    return timestamps.build_response(
        changed, signer=by.unit, certificate=by.certificate, policy=policy or POLICY, serial=9, at=at
    )


@pytest.fixture
def faulty(site, tmp_path):
    """An authority that answers as a test says."""
    by = era("ecdsa", site.clock.now() - timedelta(days=30))
    (tmp_path / "root.pem").write_text(by.root.pem)
    state = {"answer": None}
    with serving(lambda asked: state["answer"](asked) if asked else None) as url:
        yield (
            by,
            state,
            {"url": url, "trust_file": str(tmp_path / "root.pem"), "policy": POLICY, "timeout": 2},
        )


GOOD = (200, "application/timestamp-reply")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("nonce", OutsideRefused),
        ("no nonce", OutsideRefused),
        ("imprint", OutsideRefused),
        ("policy", OutsideRefused),
        ("late", OutsideRefused),
        ("another root", OutsideRefused),
        ("purpose", OutsideRefused),
        ("expired", OutsideRefused),
        ("altered", OutsideRefused),
        ("rejected", OutsideRefused),
        ("junk", OutsideRefused),
        ("html", OutsideUnreachable),
        ("500", OutsideUnreachable),
        ("endless", OutsideUnreachable),
        ("redirect", OutsideUnreachable),
    ],
)
def test_what_does_not_hold_is_not_kept(site, faulty, unit, fault, error):
    by, state, settings = faulty
    now = site.clock.now()

    def answer(asked):
        good = reply(by, asked, now)
        return {
            "nonce": lambda: (*GOOD, reply(by, asked, now, nonce=5)),
            "no nonce": lambda: (*GOOD, reply(by, asked, now, nonce=None)),
            "imprint": lambda: (*GOOD, reply(by, asked, now, message=b"other")),
            "policy": lambda: (*GOOD, reply(by, asked, now, policy="1.2.3")),
            "late": lambda: (*GOOD, reply(by, asked, now - timedelta(seconds=90))),
            "another root": lambda: (*GOOD, reply(era("ecdsa", now - timedelta(days=1)), asked, now)),
            "purpose": lambda: (*GOOD, purpose(by, asked, now)),
            "expired": lambda: (*GOOD, reply(by, asked, now)),
            "altered": lambda: (*GOOD, good[:-1] + bytes((good[-1] ^ 1,))),
            "rejected": lambda: (*GOOD, timestamps.build_rejection("badAlg")),
            "junk": lambda: (*GOOD, b"<html>"),
            "html": lambda: (200, "text/html", good),
            "500": lambda: (500, "application/timestamp-reply", good),
            "endless": lambda: (*GOOD, good + bytes(1 << 19)),
            "redirect": lambda: (302, "application/timestamp-reply", good),
        }[fault]()

    if fault == "expired":
        by.begin(now - timedelta(days=20), 10 / 365, lambda: by.unit)
    state["answer"] = answer
    outside = Outside("national", OutsideSettings(**settings))
    with pytest.raises(error):
        outside.ask(SHA256, SHA256.digest(MESSAGE), 77, now)
    state["answer"] = lambda asked: (*GOOD, reply(by, asked, now))
    if fault != "expired":
        assert outside.ask(SHA256, SHA256.digest(MESSAGE), 77, now).nonce == 77


def purpose(by, asked, at):
    """Signed with a certificate that is not for timestamping."""
    kept = by.certificate
    by.certificate = by._issue(
        "谁", by.unit, at - timedelta(days=2), 1, extended_key_usage=("emailProtection",)
    )
    try:
        return reply(by, asked, at)
    finally:
        by.certificate = kept


def test_the_order_and_who_stands_in(site, faulty, unit, openssl_tsa, tmp_path):
    by, state, settings = faulty
    state["answer"] = lambda asked: (503, "text/plain", b"")
    second = {"url": openssl_tsa, "trust_file": str(unit / "root.pem")}
    site.ctx.outside.authorities = order(site, first=settings, second=second).authorities
    token = Token.load(site.ca.timestamps.stamp(MESSAGE, "intl", SYSTEM))
    assert site.ca.timestamps.standing(token.der).path.leaf.subject.common_name == "outside stamping"
    assert [
        (each["subject"].partition(":")[0], each["outcome"]) for each in site.events("ca.timestamp-outside")
    ] == [
        ("authority", "failed"),
        ("timestamp", "done"),
    ]
    health = site.ca.health()
    assert not health.ok
    assert "first" in health.text.en
    assert health.facts["outside.first"].startswith("ca.outside_unreachable")
    # it is left alone for a minute, then asked again; who comes back is well
    state["answer"] = lambda asked: (*GOOD, reply(by, asked, site.clock.now()))
    assert Token.load(site.ca.timestamps.stamp(MESSAGE, "intl", SYSTEM)).policy == POLICY
    assert row(site, "first").failures == 1
    site.clock.advance(timedelta(seconds=61))
    again = site.ca.timestamps.stamp(MESSAGE, "intl", SYSTEM)
    assert site.ctx.outside.authorities[0].path(Token.load(again)).leaf == by.certificate
    assert (row(site, "first").failures, row(site, "first").error) == (0, None)
    assert site.ca.health().ok
    # when nobody answers, our own does
    state["answer"] = lambda asked: (503, "text/plain", b"")
    site.ctx.outside.authorities = order(site, first=settings).authorities
    own = site.ca.timestamps.stamp(MESSAGE, "intl", SYSTEM)
    assert site.ca.timestamps.standing(own).path.anchor == site.ca.certificate("intl-root")
    assert len(site.events("ca.timestamp")) == 1


def test_nobody_there(site, unit):
    settings = {"url": "http://127.0.0.1:9/tsa", "trust_file": str(unit / "root.pem"), "timeout": 1}
    with pytest.raises(OutsideUnreachable):
        Outside("gone", OutsideSettings(**settings)).ask(SHA256, SHA256.digest(MESSAGE), 7, site.clock.now())


def test_files_that_cannot_be_used(site, unit, openssl_tsa):
    outside = Outside("national", OutsideSettings(url=openssl_tsa, trust_file="/nowhere"))
    with pytest.raises(OutsideMisconfigured):
        outside.ask(SHA256, SHA256.digest(MESSAGE), 7, site.clock.now())
    with pytest.raises(ValidationError):
        OutsideSettings(url="ftp://x/", trust_file="x")
    with pytest.raises(ValidationError):
        OutsideSettings(url="http://x/", trust_file="x", policy="national")


@pytest.mark.parametrize("at", ["ca.timestamp-outside.1-held", "ca.timestamp-outside.2-recorded"])
def test_killed_between_two_steps(site, unit, openssl_tsa, at):
    """A token that was not handed out is nobody's; whatever is handed out is on record."""
    outside = order(site, national={"url": openssl_tsa, "trust_file": str(unit / "root.pem")})

    def die(name):
        if name == at:
            raise Killed

    steps.listen(die)
    try:
        with pytest.raises(Killed):
            stamp(outside)
    finally:
        steps.listen(None)
    before = len(site.events("ca.timestamp-outside"))
    assert before == (0 if at.endswith("held") else 1)
    assert stamp(outside) is not None
    assert len(site.events("ca.timestamp-outside")) == before + 1


class Killed(BaseException):
    """Ends what is under way."""
