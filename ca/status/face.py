"""Status over plain HTTP without Flask: what is kept is sent as it is, what is not is signed, all else goes on.

`Front` answers whole requests from memory for the plain port's own loop; `in_front` is a WSGI application for the rest.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_to_bytes

from ca.service import Authority
from ca.status.kept import Kept, Shelf
from ca.status.line import Line
from yinxin.crypto.status import OcspError, build_ocsp_error
from yinxin.errors import NotFound, Unavailable, YinxinError

_OCSP = b"application/ocsp-response"
_CRL = b"application/pkix-crl"
_CERTIFICATE = b"application/pkix-cert"

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Front:
    """The quick half: whole HTTP answers for whole requests, from memory and the table of kept answers alone."""

    def __init__(self, authority: Authority, shelf: Shelf) -> None:
        self._authority = authority
        self._shelf = shelf
        self.look = shelf.look

    def get(self, target: bytes) -> Kept | None:
        """The answer to a GET for this request target (path and query as sent); None when it takes longer."""
        if target.startswith(b"/ocsp/"):
            asked = _question(unquote_to_bytes(target[6:]))
            return self._shelf.answer(asked) if asked is not None else None
        return self._shelf.list(target.decode("latin-1"))

    def post(self, target: bytes, body: bytes) -> Kept | None:
        """The answer to a POST; None when it takes longer."""
        return self._shelf.answer(body) if target in (b"/ocsp", b"/ocsp/") else None

    def date(self) -> bytes:
        """The present as HTTP writes it."""
        return formatdate(self._authority.ctx.store.clock.now().timestamp(), usegmt=True).encode()


def _question(encoded: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except binascii.Error:
        return None


def in_front(authority: Authority, shelf: Shelf, app: WsgiApp) -> WsgiApp:
    """`app` with status answered before it: OCSP, lists and authorities' certificates."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        try:
            if path.startswith("/ocsp") and method in ("GET", "POST"):
                return _ocsp(authority, environ, start_response)
            # an authority's collection (.p7c) is made on demand, by the application
            kept = path.startswith("/crl/") or (path.startswith("/ca/") and path.endswith(".crt"))
            if kept and method in ("GET", "HEAD"):
                return _send(environ, start_response, _file(authority, shelf, path))
        except Unavailable:
            return _plainly(start_response, "503 Service Unavailable", [("Retry-After", "5")])
        except YinxinError:
            return _plainly(start_response, "404 Not Found", [])
        return app(environ, start_response)

    return application


def _ocsp(authority: Authority, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] == "POST":
        asked: bytes | None = environ["wsgi.input"].read(authority.ctx.settings.most_request_bytes + 1)
    else:
        asked = _question(environ["PATH_INFO"].removeprefix("/ocsp/").encode("latin-1"))
    answer = authority.ocsp(asked) if asked is not None else build_ocsp_error(OcspError.MALFORMED_REQUEST)
    # it was signed for this question; the next one gets a newer one
    headers = [
        ("Content-Type", _OCSP.decode()),
        ("Content-Length", str(len(answer))),
        ("Cache-Control", "no-cache"),
    ]
    start_response("200 OK", headers)
    return [answer]


def _file(authority: Authority, shelf: Shelf, path: str) -> Kept:
    if (kept := shelf.list(path)) is not None:
        return kept
    if path.startswith("/ca/"):
        certificate = authority.certificate(path[4:-4])
        return shelf.made(certificate.der, _CERTIFICATE, certificate.not_after.timestamp())
    if not path.endswith(".crl"):
        raise NotFound
    name = path[5:-4]
    line = Line.of(name.removesuffix(".delta"))
    published = authority.published(line)
    body = published.der if line.path == name else published.delta
    if body is None:
        raise NotFound
    kept = shelf.made(body, _CRL, published.half.timestamp())
    shelf.keep(path, line.authority, published.through, kept)
    return kept


def _send(environ: dict[str, Any], start_response: Any, kept: Kept) -> Iterable[bytes]:
    headers = [tuple(line.split(": ", 1)) for line in kept.head.decode().splitlines()]
    if environ.get("HTTP_IF_NONE_MATCH", "").encode() == kept.etag:
        start_response("304 Not Modified", [each for each in headers if each[0] != "Content-Length"])
        return []
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [kept.body]


def _plainly(start_response: Any, status: str, headers: list[tuple[str, str]]) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "0"), *headers])
    return []


def encoded(question: bytes) -> str:
    """An OCSPRequest as it stands in the path of a GET (RFC 6960 A.1), not yet percent-encoded."""
    return base64.b64encode(question).decode()
