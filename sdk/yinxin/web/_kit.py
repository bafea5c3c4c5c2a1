"""What one application was assembled with, and who and what the present request is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import current_app, has_request_context, request

from yinxin.clock import Clock
from yinxin.errors import NotAuthenticated
from yinxin.store import Store
from yinxin.text import Language
from yinxin.web.caller import Authenticator, Caller, Names
from yinxin.web.counts import Counts
from yinxin.web.errors import ScopeNeeded, SignInRequired
from yinxin.web.peer import peer_certificate
from yinxin.web.settings import WebSettings

if TYPE_CHECKING:
    from yinxin.client import Client
    from yinxin.web.api import Api
    from yinxin.web.idempotency import Answers
    from yinxin.web.pages import NavItem

EXTENSION = "yinxin.web"
#: WSGI environ key of the request's identifier; a header cannot reach it
REQUEST_ID = "yinxin.request"
#: WSGI environ key of who is signed in, once looked up, None for a stranger. Not Flask's `g`: a call within this
#: process is a request inside a request, shares that, and would be made in the name of the outer one's caller
CALLER = "yinxin.caller"
#: `__Host-`: only over TLS, only from this host, only for the whole of it (RFC 6265bis 4.1.3.2)
SESSION_COOKIE = "__Host-yinxin"
LANGUAGE_COOKIE = "yinxin-language"


@dataclass
class Kit:
    """One application's parts."""

    authenticator: Authenticator
    store: Store
    clock: Clock
    settings: WebSettings
    answers: Answers
    #: a client of the platform's core: `core(token=…)` in somebody's name, `core(certificate=…)` showing one
    core: Callable[..., Client]
    names: Names
    #: what this process answered, in numbers
    counts: Counts = field(default_factory=Counts)
    apis: list[Api] = field(default_factory=list)
    #: largest body in octets, by endpoint, where it is not the common one
    limits: dict[str, int] = field(default_factory=dict)
    navigation: list[NavItem] = field(default_factory=list)


def kit() -> Kit:
    """The parts of the application that serves the present request."""
    return cast("Kit", current_app.extensions[EXTENSION])


def request_id() -> str:
    """The present request's identifier."""
    return str(request.environ.get(REQUEST_ID, "?"))


def bearer() -> str | None:
    """The token in the Authorization header (RFC 6750), if any."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def current_caller(scope: str | None = None) -> Caller:
    """Who is signed in, or the system that calls with a token for `scope`; without one people alone are let in.

    Raises SignInRequired, ScopeNeeded, or what the authenticator says of the token.
    """
    known = caller_so_far()
    if known is None:
        peer = peer_certificate(request.environ)
        known = request.environ[CALLER] = kit().authenticator.authenticate(session_token(), peer)
    if known.scopes is not None and scope not in known.scopes:
        raise ScopeNeeded(system=known.actor.id, scope=scope or "-")
    return known


def caller_so_far() -> Caller | None:
    """Who is signed in, if it has been looked up in this request."""
    return cast("Caller | None", request.environ.get(CALLER))


def session_token() -> str:
    """The token that the present request came with, for asking another service in the caller's name.

    Raises SignInRequired.
    """
    token = bearer() or request.cookies.get(SESSION_COOKIE)
    if not token:
        raise SignInRequired
    return token


def caller_or_none() -> Caller | None:
    """Who is signed in, or None: for pages that strangers may read too."""
    if CALLER not in request.environ:
        try:
            current_caller()
        except NotAuthenticated:
            request.environ[CALLER] = None
    return caller_so_far()


def reader_language() -> Language:
    """The reader's language: `?lang=`, then the switch's cookie, then Accept-Language; Chinese when nothing says."""
    if not has_request_context():
        return "zh"
    for wish in (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wish == "zh":
            return "zh"
        if wish == "en":
            return "en"
    for wish, quality in request.accept_languages:
        primary = wish.lower().partition("-")[0]
        if quality > 0 and primary == "zh":
            return "zh"
        if quality > 0 and primary == "en":
            return "en"
    return "zh"


def own_origin() -> str:
    """Scheme, host and port that readers know this server by (RFC 6454)."""
    return (kit().settings.public_url or request.host_url).rstrip("/")
