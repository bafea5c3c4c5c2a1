"""Signing in and out in the browser: with the TLS certificate, or by answering a challenge with one's own key."""

import base64
import binascii
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from yinxin.authz import sign_in_statement
from yinxin.client import Client
from yinxin.crypto.errors import MalformedSignature
from yinxin.crypto.jose import encode64
from yinxin.errors import NotAuthenticated, Unavailable, YinxinError
from yinxin.web._kit import (
    CALLER,
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    caller_or_none,
    current_caller,
    kit,
    own_origin,
    session_token,
)
from yinxin.web.errors import NoCertificate
from yinxin.web.peer import peer_certificate

R = TypeVar("R", bound=BaseResponse)

blueprint = Blueprint("yinxin", __name__)
#: seconds the language switch is remembered
_YEAR = 365 * 24 * 3600


def core() -> Client:
    """The platform's client in the name of whoever is signed in; raises SignInRequired."""
    return kit().core(token=session_token())


@blueprint.get("/sign-in")
def sign_in() -> str:
    """The ways in, with a fresh challenge."""
    return _page({})


@blueprint.post("/sign-in")
def answer() -> BaseResponse:
    """Open a session with the signed challenge, pasted or uploaded."""
    try:
        with kit().core() as client:
            token = client.authz.open_session(request.form.get("challenge", ""), signature_of(_sent()))
    except Unavailable:
        raise
    except YinxinError as error:
        return Response(_page({"problem": error}), error.status, mimetype="text/html")
    return _welcome(token)


@blueprint.post("/sign-in/tls")
def by_certificate() -> BaseResponse:
    """Open a session with the certificate of this TLS connection."""
    certificate = peer_certificate(request.environ)
    try:
        if certificate is None:
            raise NoCertificate
        with kit().core(certificate=certificate) as client:
            token = client.authz.open_session_by_tls()
    except Unavailable:
        raise
    except YinxinError as error:
        return Response(_page({"problem": error}), error.status, mimetype="text/html")
    return _welcome(token)


@blueprint.post("/sign-in/passkey")
def by_passkey() -> BaseResponse:
    """Open a session with what the browser's passkey answered."""
    try:
        with kit().core() as client:
            token = client.authz.open_session_by_passkey(request.form.get("credential", ""))
    except Unavailable:
        raise
    except YinxinError as error:
        return Response(_page({"problem": error}), error.status, mimetype="text/html")
    return _welcome(token)


@blueprint.get("/step-up")
def step_up() -> str:
    """The ways to prove again who one is, before an act that wants it; leads back to where one was."""
    current_caller()
    return _page({"again": True})


@blueprint.post("/step-up")
def prove() -> BaseResponse:
    """Prove it with the signed challenge, pasted or uploaded."""
    current_caller()
    try:
        with core() as client:
            client.authz.prove(request.form.get("challenge", ""), signature_of(_sent()))
    except Unavailable:
        raise
    except YinxinError as error:
        return Response(_page({"problem": error, "again": True}), error.status, mimetype="text/html")
    return redirect(local(request.form.get("next")), 303)


@blueprint.post("/step-up/tls")
def prove_by_certificate() -> BaseResponse:
    """Prove it with the certificate of this TLS connection."""
    current_caller()
    certificate = peer_certificate(request.environ)
    try:
        if certificate is None:
            raise NoCertificate
        with kit().core(token=session_token(), certificate=certificate) as client:
            client.authz.prove_by_tls()
    except Unavailable:
        raise
    except YinxinError as error:
        return Response(_page({"problem": error, "again": True}), error.status, mimetype="text/html")
    return redirect(local(request.form.get("next")), 303)


@blueprint.post("/sign-out")
def sign_out() -> BaseResponse:
    """End the session, here and on the platform."""
    if caller_or_none() is not None:
        with core() as client:
            client.authz.sign_out()
    return forget_session(redirect(url_for("yinxin.sign_in"), 303))


def hold_session(response: R, token: str) -> R:
    """`response`, which also gives the browser the session's cookie. Such an answer is kept nowhere."""
    response.set_cookie(SESSION_COOKIE, token, secure=True, httponly=True, samesite="Strict")
    return response


def forget_session(response: R) -> R:
    """`response`, which also takes the session's cookie from the browser."""
    response.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="Strict")
    return response


@blueprint.post("/language")
def language() -> BaseResponse:
    """Switch the language of the pages and come back."""
    response = redirect(local(request.form.get("next")), 303)
    if request.form.get("lang") in {"zh", "en"}:
        response.set_cookie(
            LANGUAGE_COOKIE, request.form["lang"], max_age=_YEAR, secure=True, httponly=True, samesite="Lax"
        )
    return response


def local(address: str | None) -> str:
    """`address` if it leads to a page of ours, else where everybody begins: nobody is sent elsewhere by a link."""
    if address and re.fullmatch(r"/(?![/\\])[^\\\x00-\x1f]*", address):
        return address
    return _beginning()


def _beginning() -> str:
    caller = caller_or_none()
    for item in kit().navigation if caller else ():
        if caller and item.shown_to(caller):
            return url_for(item.endpoint)
    return "/"


def _page(context: Mapping[str, Any]) -> str:
    with kit().core() as client:
        challenge = client.authz.challenge()
    shows = peer_certificate(request.environ) is not None
    return render_template(
        "yinxin/sign_in.html",
        challenge=challenge,
        origin=own_origin(),
        statement=sign_in_statement(challenge, own_origin()).decode(),
        next=request.values.get("next", ""),
        has_certificate=shows,
        passkey={"challenge": encode64(challenge.encode()), "host": urlsplit(own_origin()).hostname},
        **context,
    )


def _sent() -> bytes:
    """The signature as it was pasted, or uploaded."""
    file = request.files.get("file")
    return file.read() if file and file.filename else request.form.get("answer", "").encode()


def signature_of(sent: bytes) -> bytes:
    """The DER signature, from DER, PEM or bare base64; raises MalformedSignature."""
    if sent[:1] == b"\x30":
        return sent
    text = re.sub(rb"-----[A-Z0-9 ]+-----|\s+", b"", sent)
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedSignature(kind="CMS", reason="base64") from error


def _welcome(token: str) -> BaseResponse:
    _end_the_one_before()
    peer = peer_certificate(request.environ)
    # whoever she is now decides where she begins
    request.environ[CALLER] = kit().authenticator.authenticate(token, peer)
    return hold_session(redirect(local(request.form.get("next")), 303), token)


def _end_the_one_before() -> None:
    """Whoever signs in anew leaves no session behind, and takes none over that somebody put into her browser."""
    before = request.cookies.get(SESSION_COOKIE)
    if before:
        with suppress(NotAuthenticated), kit().core(token=before) as client:
            client.authz.sign_out()
