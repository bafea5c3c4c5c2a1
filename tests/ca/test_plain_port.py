"""The plain port as clients meet it: quick where it can be, correct where it cannot, patient with nobody."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
from flask import Flask

from ca.public import routes
from ca.status.face import Front, encoded, in_front
from ca.status.kept import Shelf
from ops import plain
from ops.plain import Handed, PlainPort
from tests.support.openssl import openssl
from yinxin.crypto.status import (
    CertId,
    CertificateList,
    Good,
    OcspError,
    OcspRequest,
    OcspResponse,
    Revoked,
    Status,
)
from yinxin.crypto.status import build_ocsp_error as error

from .conftest import REGISTRAR, Site

pytestmark = pytest.mark.engines("any")


class Port:
    """A site's plain port on loopback; counts what the slow half was given."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.slow: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.where = self.listener.getsockname()
        self.url = f"http://127.0.0.1:{self.where[1]}"
        shelf = Shelf(site.ctx)
        flask = Flask(__name__)
        for blueprint in routes(site.ca):
            flask.register_blueprint(blueprint)
        behind = in_front(site.ca, shelf, flask)

        def counted(environ: dict[str, object], start_response: object) -> object:
            self.slow.append(str(environ["PATH_INFO"]))
            return behind(environ, start_response)

        self.handed = Handed(counted, self.where, threads=2, ident=None, max_request_body_size=1 << 20)
        self.behind = threading.Thread(target=self.handed.run)
        self.behind.start()
        self.loop = PlainPort(self.listener, Front(site.ca, shelf), self.handed)
        self.loop.start()

    def close(self) -> None:
        self.loop.close()
        self.handed.end()
        self.behind.join()
        self.listener.close()

    def question(self, serial: int, nonce: bytes | None = None) -> bytes:
        return OcspRequest.build([CertId.of(serial, self.site.ca.certificate("intl-issuing"))], nonce)

    def believed(self, answer: bytes) -> Status:
        response = OcspResponse(answer)
        response.verify(self.site.ca.certificate("intl-issuing"), self.site.clock.now())
        return response.answers[0].status

    def said(self, *parts: bytes, until: Callable[[bytes], bool] | None = None) -> bytes:
        """What one connection is told, sent in these parts, until it ends or `until` is satisfied."""
        got = b""
        with socket.create_connection(self.where, timeout=10) as connection:
            for part in parts:
                connection.sendall(part)
            while until is None or not until(got):
                try:
                    more = connection.recv(65536)
                except ConnectionResetError:  # it was told before all that it sent was read
                    break
                if not more:
                    break
                got += more
        return got


@pytest.fixture
def port(site: Site) -> Iterator[Port]:
    port = Port(site)
    yield port
    port.close()


def post(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST /ocsp HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_kept_answers_take_neither_thread_nor_flask(site: Site, port: Port) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    asked = port.question(issued.certificate.serial)
    with httpx.Client() as client:
        for _ in range(3):
            answer = client.post(
                f"{port.url}/ocsp", content=asked, headers={"Content-Type": "application/ocsp-request"}
            )
            assert port.believed(answer.content) == Good()
            assert answer.headers["cache-control"] == "max-age=0, public, no-transform, must-revalidate"
        again = client.get(f"{port.url}/ocsp/{quote(encoded(asked), safe='')}")
        assert again.content == answer.content
        fresh = client.get(
            f"{port.url}/ocsp/{encoded(asked)}", headers={"If-None-Match": again.headers["etag"]}
        )
        assert (fresh.status_code, fresh.content) == (304, b"")
        assert port.slow == []
        # the very next request after a revocation knows of it
        site.ca.revoke(REGISTRAR, issued.serial, "keyCompromise")
        answer = client.get(
            f"{port.url}/ocsp/{encoded(asked)}", headers={"If-None-Match": again.headers["etag"]}
        )
        assert isinstance(port.believed(answer.content), Revoked)
    assert port.slow != []


def test_openssl_is_answered_with_and_without_nonce(site: Site, port: Port) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    folder, trust = site.folder, site.folder / "trust"
    (folder / "leaf.pem").write_text(issued.certificate.pem)
    arguments = ("ocsp", "-issuer", trust / "intl.issuing.pem", "-cert", folder / "leaf.pem", "-url", f"{port.url}/ocsp", "-CAfile", trust / "intl.root.pem", "-verify_other", trust / "intl.issuing.pem")  # fmt: skip
    for nonce, slow in (("-no_nonce", 0), ("-nonce", 1)):
        assert ": good" in openssl(*arguments, nonce)
        assert len(port.slow) == slow


def test_lists_and_certificates_are_served_and_kept(site: Site, port: Port) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    path = issued.certificate.crl_urls[0].removeprefix(site.ctx.settings.public_url)
    first = httpx.get(port.url + path)
    count = len(port.slow)
    assert httpx.get(port.url + path).content == first.content
    assert len(port.slow) == count
    site.ca.revoke(REGISTRAR, issued.serial, "superseded")
    now = CertificateList(httpx.get(port.url + path).content)
    assert now.lookup(issued.certificate.serial) is not None
    delta = httpx.get(port.url + path.replace(".crl", ".delta.crl"))
    assert CertificateList(delta.content).delta_base == CertificateList(first.content).number
    assert httpx.get(f"{port.url}/ca/intl-issuing.crt").content == site.ca.certificate("intl-issuing").der
    # seen to fail when everything below /ca/ is taken for a file of the quick half
    ways_up = httpx.get(f"{port.url}/ca/intl-issuing.p7c")
    assert (ways_up.status_code, ways_up.content) == (200, site.ca.collection("intl-issuing"))
    wrong_ones = ("/crl/none.crl", "/crl/intl-issuing/99.crl", "/ca/none.crt", "/ca/none.p7c", "/crl/x")
    for wrong in wrong_ones:
        assert httpx.get(port.url + wrong).status_code == 404
    site.clock.advance(timedelta(hours=13))
    assert CertificateList(httpx.get(port.url + path).content).number == now.number + 1


def test_requests_in_one_piece_and_in_many(site: Site, port: Port) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    asked = port.question(issued.certificate.serial)
    # several at once, the last one split, and one in between that only the slow half can answer
    whole = post(asked) * 3 + post(port.question(5, b"n" * 16)) + post(asked, b"Connection: close")
    got = port.said(whole[:-20], whole[-20:])
    assert got.count(b"HTTP/1.1 200 OK") == 5
    assert port.slow == ["/ocsp", "/ocsp"]
    got = port.said(*(bytes((octet,)) for octet in post(asked, b"Connection: close")))
    assert port.believed(got.partition(b"\r\n\r\n")[2]) == Good()
    chunked = b"POST /ocsp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    got = port.said(chunked % (len(asked), asked))
    assert port.believed(got.partition(b"\r\n\r\n")[2]) == Good()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (post(b"\x30" * 70_000, b"Connection: close"), b"200"),
        (post(b"\x30\x00", b"Connection: close"), b"200"),
        (b"GET /ocsp/%%%% HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
        (b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n", b"413"),
        (b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 300_000 + b"\r\n\r\n", b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
    ],
)  # fmt: skip
def test_nonsense_is_answered_as_such(port: Port, sent: bytes, status: bytes) -> None:
    got = port.said(sent)
    assert got.split(b" ", 2)[1:2] in ([status], [] if len(sent) > 100_000 else [status])
    if status == b"200":
        assert got.endswith(error(OcspError.MALFORMED_REQUEST))


def test_nobody_holds_the_port_up(site: Site, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many who say half a word, and one who does not read, cost the others nothing; they are let go in time."""
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    asked = post(port.question(issued.certificate.serial), b"Connection: close")
    slow = [socket.create_connection(port.where) for _ in range(100)]
    for each in slow:
        each.sendall(b"POST /ocsp HTTP/1.1\r\n")
    deaf = socket.create_connection(port.where)
    deaf.setblocking(False)
    full = False
    while not full:
        try:
            deaf.send(post(port.question(issued.certificate.serial)) * 100)
        except BlockingIOError:
            full = True
    assert b"200 OK" in port.said(asked)
    monkeypatch.setattr(plain.time, "monotonic", lambda true=plain.time.monotonic: true() + plain.PATIENCE)
    assert b"200 OK" in port.said(asked)
    for each in slow:
        each.settimeout(10)
        assert each.recv(10) == b""
        each.close()
    deaf.close()


def test_what_cannot_be_proven_is_not_served(site: Site, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with what is kept served all the same when `look` raises."""
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    asked = post(port.question(issued.certificate.serial), b"Connection: close")
    assert b"200 OK" in port.said(asked)
    assert port.slow == []

    def gone(*_: object) -> None:
        raise OSError("no database")

    monkeypatch.setattr(port.loop._ready, "look", gone)
    assert port.believed(port.said(asked).partition(b"\r\n\r\n")[2]) == Good()
    assert port.slow == ["/ocsp"]
