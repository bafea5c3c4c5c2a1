"""The scope of one request: its identifier, what it recorded, how much it may send, and the headers of every answer."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from flask import Flask, Response, request

from yinxin.store import Store, current_entries, request_scope
from yinxin.web._kit import EXTENSION, REQUEST_ID, kit, reader_language, request_id
from yinxin.web.caller import Knowing
from yinxin.web.counts import CountingLayer, face_of
from yinxin.web.errors import TooLarge
from yinxin.web.headers import SECURITY_HEADERS, TRANSPORT_SECURITY, scheme_of
from yinxin.web.idempotency import holding
from yinxin.web.peer import PeerLayer
from yinxin.web.quick import QUICK, QuickLayer
from yinxin.web.signed import SIGNED, SignedLayer


class RequestScope:
    """WSGI layer around everything: each request has an identifier and a list of what it recorded."""

    def __init__(self, app: Any, store: Store) -> None:
        self._app = app
        self._store = store

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[REQUEST_ID] = self._store.identifier()
        environ["wsgi.url_scheme"] = scheme_of(environ)
        with request_scope(environ[REQUEST_ID]), holding(None):
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer


def _limit_body() -> None:
    """Refuse a larger body before a byte of it is read; one of unstated length is cut off at the limit."""
    parts = kit()
    limit = parts.limits.get(request.endpoint or "", parts.settings.body_limit)
    if (request.content_length or 0) > limit:
        raise TooLarge(limit=limit)
    request.max_content_length = limit


def _finish(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", TRANSPORT_SECURITY)
    if request.endpoint is not None and request.endpoint.rpartition(".")[2] == "static":
        return response
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Request-Id"] = request_id()
    entries = current_entries()
    if entries:
        response.headers["Audit-Entry"] = ", ".join(entries)
    if response.mimetype in {"application/problem+json", "text/html"}:
        response.headers.setdefault("Content-Language", "zh-CN" if reader_language() == "zh" else "en")
        response.vary.update(("Accept-Language", "Cookie"))
    return response


def install(app: Flask) -> None:
    """Put the scope around `app`."""
    parts = app.extensions[EXTENSION]
    app.before_request(_limit_body)
    app.after_request(_finish)
    app.extensions[SIGNED] = SignedLayer(parts)
    inside: Any = RequestScope(app.wsgi_app, parts.store)
    if isinstance(parts.authenticator, Knowing):
        inside = app.extensions[QUICK] = QuickLayer(inside, parts, parts.authenticator)
    app.wsgi_app = CountingLayer(PeerLayer(inside, parts.settings), parts.counts, partial(_faces, app))  # type: ignore[method-assign]


def _faces(app: Flask) -> frozenset[str]:
    """The beginnings of the addresses that `app` serves."""
    found = (face_of(rule.rule) for rule in app.url_map.iter_rules())
    return frozenset(face for face in found if "<" not in face)
