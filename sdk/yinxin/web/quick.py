"""The quick way of a few operations that are asked very often: past the framework, for a caller who is known already.

An operation that is declared with `quick` is answered here when everything about the request is ordinary and its caller was let
in before, with the same token, on a connection of the same certificate, by the same name of ours. What that rests on is asked
again by whoever carries the operation out, in the transaction that records it (`yinxin.premise`). Anything else goes the
ordinary way, unread and untouched: so whatever is refused is refused, worded and recorded there alone.

An operation whose answers are kept (`yinxin.web.idempotency`) goes this way where its first recorded act claims the key: then the
claim and, in the end, the answer are written with the acts of the request, by whoever carries the operation out.

A server whose one thread reads many connections comes here past WSGI as well (`QuickLayer.begin`), with requests that it has
recognised as plain ones, and brings what several ask to their windows at once.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ValidationError

from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.gather import Window
from yinxin.web._contract import JSON, digest_of
from yinxin.web._kit import Kit
from yinxin.web.caller import Knowing, Known
from yinxin.web.counts import face_of
from yinxin.web.faults import NUL
from yinxin.web.headers import SECURITY_HEADERS, TRANSPORT_SECURITY, scheme_of
from yinxin.web.idempotency import Claim, caller_of, fit
from yinxin.web.peer import peer_certificate, peer_shown

if TYPE_CHECKING:
    from yinxin.web.api import Api, Operation

#: the application's extension that is the quick way
QUICK = "yinxin.quick"
#: callers that a process remembers; when there are more it begins anew
_KEEP = 10_000
_PARAMETER = re.compile(r"<([a-z_]+)>")
#: what a part of an address may be made of; whatever else there is, is read by the framework
_PART = r"([A-Za-z0-9._~-]+)"
_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]+)")
_PLAIN_HEADERS = [("Content-Type", JSON), *SECURITY_HEADERS.items(), ("Cache-Control", "no-store")]
_SECURE_HEADERS = [*_PLAIN_HEADERS, ("Strict-Transport-Security", TRANSPORT_SECURITY)]
#: as they are sent, by scheme
_SENT = {
    scheme: "".join(f"{name}: {value}\r\n" for name, value in headers).encode()
    for scheme, headers in (("http", _PLAIN_HEADERS), ("https", _SECURE_HEADERS))
}


@dataclass(frozen=True, slots=True)
class QuickAnswer:
    """The answer, or what it was kept as, and the identifier of what was recorded; of several, with commas between."""

    body: BaseModel | bytes
    entry: str


@dataclass(frozen=True, slots=True)
class Wished:
    """What a request asks for, to be brought to its window, and how the window's answer is told."""

    window: Window[Any, Any]
    wish: Any
    tell: Callable[[Any], QuickAnswer]


@dataclass(frozen=True, slots=True)
class Bid:
    """A request on its quick way: its identifier, and its claim where the operation's answers are kept."""

    request: str
    claim: Claim | None = None


class Quick(Protocol):
    """The quick way of an operation, given the caller, the request, the body and the parameters of the path.

    None of either: the ordinary way.
    """

    def __call__(self, known: Known, bid: Bid, body: Any, **path: str) -> QuickAnswer | None:
        """Do it, alone or together with others, and wait for it."""
        ...

    def wished(self, known: Known, bid: Bid, body: Any, **path: str) -> Wished | None:
        """What is to be done, of a caller whose right to it is known already; asks no database and waits for nothing."""
        ...


#: token's digest, what the connection shows, what we are called, and by which scheme
_Key = tuple[bytes, bytes, str, str]

#: an operation, its quick way, and the parameters of the path
_Found = tuple["Operation", Quick, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Plain:
    """A request for an operation with a quick way, nothing about it out of the ordinary, read by the server itself.

    `peer` is the certificate (DER) that the connection proved to be its client's, empty without one.
    """

    found: _Found
    target: str
    authorization: str
    peer: bytes
    host: str
    scheme: str
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that is on its quick way, since a moment of the process's own clock; counted with others of its face."""

    request: str
    wished: Wished
    key: _Key
    face: str
    since: float
    #: the status of its answer
    status: int


class QuickLayer:
    """WSGI layer inside `PeerLayer`, which says whose certificate a request came with; `app` is the ordinary way."""

    def __init__(self, app: Any, kit: Kit, knowing: Knowing) -> None:
        self._app = app
        self._kit = kit
        self._knowing = knowing
        self._known: dict[_Key, Known] = {}
        self._routes: list[tuple[re.Pattern[str], Operation, Quick, int]] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        found = self._route(environ)
        if found is None or (key := self._key(environ)) is None:
            ordinary: Iterable[bytes] = self._app(environ, start_response)
            return ordinary
        known = self._known.get(key)
        if known is None:
            return self._met(environ, start_response, key, found)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        request = self._kit.store.identifier()
        target, idempotency_key = environ["PATH_INFO"], environ.get("HTTP_IDEMPOTENCY_KEY", "")
        answer = _carried_out(found, known, (request, target, idempotency_key), body)
        if answer is None:
            self._known.pop(key, None)
            environ["wsgi.input"] = BytesIO(body)
            return self._met(environ, start_response, key, found)
        data = _data(answer)
        headers = [
            *(_SECURE_HEADERS if key[3] == "https" else _PLAIN_HEADERS),
            ("Content-Length", str(len(data))),
            ("Request-Id", request),
            ("Audit-Entry", answer.entry),
        ]
        start_response(status_line(found[0].status), headers)
        return [data]

    def at(self, target: str, length: int) -> _Found | None:
        """The operation at an address (a path, without a query) that a body of so many octets is sent to, if it has a quick way."""
        for pattern, operation, quick, limit in self._routes or self._read_routes():
            if (found := pattern.fullmatch(target)) is not None:
                return (operation, quick, found.groupdict()) if length <= limit else None
        return None

    def begin(self, plain: Plain, body: bytes) -> Begun | None:
        """Bring a request on its quick way; None: it goes the ordinary one. Asks no database and waits for nothing."""
        bearer = _BEARER.fullmatch(plain.authorization)
        if bearer is None:
            return None
        key = INTL.hash.digest(bearer[1].encode()), plain.peer, plain.host, plain.scheme
        known = self._known.get(key)
        if known is None:
            return None
        operation, quick, path = plain.found
        if (read := _read(operation, known, body)) is None:
            return None
        request = self._kit.store.identifier()
        bid = _bid(operation, known, (request, plain.target, plain.idempotency_key), body)
        wished = None if bid is None else quick.wished(known, bid, read, **path)
        if wished is None:
            return None
        return Begun(request, wished, key, face_of(plain.target), time.perf_counter(), operation.status)

    def answer(self, begun: Begun, given: Any) -> bytes | None:
        """The fields and the body (RFC 9112) that tell what its window answered to a request, of the status that was begun with.

        None: the ordinary way, and its caller is not known any more.
        """
        if given is None:
            self._known.pop(begun.key, None)
            return None
        answer = begun.wished.tell(given)
        data = _data(answer)
        self._kit.counts.timed(begun.face, str(begun.status), time.perf_counter() - begun.since)
        return b"%bContent-Length: %d\r\nRequest-Id: %b\r\nAudit-Entry: %b\r\n\r\n%b" % (
            _SENT[begun.key[3]],
            len(data),
            begun.request.encode(),
            answer.entry.encode(),
            data,
        )

    def _route(self, environ: dict[str, Any]) -> _Found | None:
        """The operation, if it has a quick way and nothing about the request is out of the ordinary."""
        if (
            environ.get("REQUEST_METHOD") != "POST"
            or environ.get("QUERY_STRING")
            or environ.get("SCRIPT_NAME")
            or environ.get("CONTENT_TYPE") != JSON
            or "HTTP_TRANSFER_ENCODING" in environ
            or "HTTP_COOKIE" in environ
        ):
            return None
        length, address = environ.get("CONTENT_LENGTH", ""), environ.get("PATH_INFO", "")
        if not (length.isascii() and length.isdigit()):
            return None
        return self.at(address, int(length))

    def _read_routes(self) -> list[tuple[re.Pattern[str], "Operation", Quick, int]]:
        self._routes = [
            (
                re.compile(_pattern(api, operation)),
                operation,
                operation.quick,
                operation.limit or self._kit.settings.body_limit,
            )
            for api in self._kit.apis
            for operation in api.operations
            if operation.quick is not None
        ]
        return self._routes

    @staticmethod
    def _key(environ: dict[str, Any]) -> _Key | None:
        """What a caller is known by again; None for whoever shows no token."""
        bearer = _BEARER.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        if bearer is None:
            return None
        token = INTL.hash.digest(bearer[1].encode())
        return token, peer_shown(environ), environ.get("HTTP_HOST", ""), scheme_of(environ)

    def _met(self, environ: dict[str, Any], start_response: Any, key: _Key, found: _Found) -> Iterable[bytes]:
        """The ordinary way; whoever is let in there is known from now on."""
        said: list[str] = []

        def told(status: str, *more: Any) -> Any:
            said.append(status)
            return start_response(status, *more)

        answer: Iterable[bytes] = self._app(environ, told)
        if said and said[-1].startswith(f"{found[0].status} "):
            bearer = _BEARER.fullmatch(environ["HTTP_AUTHORIZATION"])
            try:
                known = self._knowing.known(bearer[1] if bearer else "", peer_certificate(environ))
            except YinxinError:
                return answer
            if len(self._known) >= _KEEP:
                self._known.clear()
            self._known[key] = known
        return answer


def status_line(status: int) -> str:
    """A status and its phrase, as the framework writes them."""
    return f"{status} {HTTPStatus(status).phrase.upper()}"


def _carried_out(found: _Found, known: Known, asked: tuple[str, str, str], body: bytes) -> QuickAnswer | None:
    operation, quick, path = found
    read = _read(operation, known, body)
    bid = None if read is None else _bid(operation, known, asked, body)
    return None if bid is None else quick(known, bid, read, **path)


def _bid(operation: "Operation", known: Known, asked: tuple[str, str, str], body: bytes) -> Bid | None:
    """The request of this identifier, address and key; None where the operation wants a key and this is none."""
    request, target, key = asked
    if operation.unkept:
        return Bid(request)
    if not fit(key):
        return None
    digest = digest_of(operation.method, f"{target}?", (body,))
    return Bid(request, Claim(caller_of(known.caller.actor), key, digest, request))


def _read(operation: "Operation", known: Known, body: bytes) -> BaseModel | None:
    """The body, where it is well-formed and the caller's token is for the operation."""
    scopes, model = known.caller.scopes, operation.contract.body
    if model is None or NUL in body or (scopes is not None and operation.scope not in scopes):
        return None
    try:
        return model.model_validate_json(body)
    except ValidationError:
        return None


def _data(answer: QuickAnswer) -> bytes:
    body = answer.body
    return body if isinstance(body, bytes) else body.model_dump_json().encode()


def _pattern(api: "Api", operation: "Operation") -> str:
    parts = _PARAMETER.split(api.prefix + operation.path)
    return "".join(
        f"(?P<{each}>{_PART})" if number % 2 else re.escape(each) for number, each in enumerate(parts)
    )
