"""The provider's pages for people: the question whether a client may know her, a device's code, signing out, going on.

The browser never follows a redirection to a client: our pages allow forms to lead to ourselves alone, and a browser
holds that against redirections too. A page that goes on by itself does the same, without a script, and its link is
there for whoever's browser does not.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from authz.oidc.authorize import Asked, Sent
from authz.oidc.errors import InvalidRequest
from authz.oidc.provider import ROOT
from authz.oidc.scopes import SCOPES
from yinxin.errors import YinxinError
from yinxin.web import Pages, caller_or_none, current_caller, forget_session

if TYPE_CHECKING:
    from authz.oidc.provider import Provider
    from authz.service import Authz

#: the second coming of a request, from our own page: only then does the browser send the session's cookie
_OWN = "_own"


def routes(authz: "Authz") -> tuple[Blueprint, ...]:
    """The blueprint of the pages."""
    pages = Pages("oidc", __name__)
    _add_authorize(pages.blueprint, authz.oidc)
    _add_device(pages.blueprint, authz.oidc)
    _add_logout(pages.blueprint, authz)
    return (pages.blueprint,)


def _add_authorize(blueprint: Blueprint, provider: "Provider") -> None:
    @blueprint.get(f"{ROOT}/authorize")
    def authorize() -> BaseResponse:
        caller = caller_or_none()
        if caller is None and _OWN not in request.args:
            return _come_again()
        asked = {name: values for name, values in request.args.lists() if name not in (_OWN, "lang")}
        outcome = provider.authorize.begin(asked, caller)
        if isinstance(outcome, Sent):
            return _go(outcome.address)
        if isinstance(outcome, Asked):
            return make_response(render_template("oidc/consent.html", asked=outcome, words_of=SCOPES))
        return redirect(url_for("yinxin.sign_in", next=_again()), 303)

    @blueprint.post(f"{ROOT}/consent")
    def consent() -> BaseResponse:
        agreed = request.form.get("answer") == "yes"
        sent = provider.authorize.answer(request.form.get("ticket", ""), current_caller(), agreed=agreed)
        return _go(sent.address)


def _add_device(blueprint: Blueprint, provider: "Provider") -> None:
    @blueprint.get(f"{ROOT}/device")
    def device() -> BaseResponse:
        if caller_or_none() is None and _OWN not in request.args:
            return _come_again()
        caller = current_caller()
        code = request.args.get("user_code", "")[:40]
        if not code:
            return make_response(render_template("oidc/device.html", code=code, problem=None))
        try:
            waiting = provider.devices.look(code, caller)
        except YinxinError as error:
            page = render_template("oidc/device.html", code=code, problem=error)
            return make_response(page, error.status)
        return make_response(
            render_template("oidc/device_consent.html", waiting=waiting, code=code, words_of=SCOPES)
        )

    @blueprint.post(f"{ROOT}/device")
    def answer_device() -> BaseResponse:
        agreed = request.form.get("answer") == "yes"
        client = provider.devices.answer(
            request.form.get("user_code", "")[:40], current_caller(), agreed=agreed
        )
        return make_response(render_template("oidc/device_done.html", client=client, agreed=agreed))


def _add_logout(blueprint: Blueprint, authz: "Authz") -> None:
    @blueprint.get(f"{ROOT}/logout")
    def logout() -> BaseResponse:
        if caller_or_none() is None and _OWN not in request.args:
            return _come_again()
        wish = authz.oidc.logouts.wish(_once())
        caller = caller_or_none()
        if caller is None or (wish.session is not None and wish.session != caller.session):
            # of a session that is over, or not this browser's: nothing to end here
            return _go(wish.address) if wish.address else redirect(url_for("yinxin.sign_in"), 303)
        if wish.session == caller.session:
            authz.sessions.sign_out(caller)
            return forget_session(_go(wish.address or url_for("yinxin.sign_in")))
        return make_response(render_template("oidc/logout.html"))

    @blueprint.post(f"{ROOT}/logout")
    def confirm_logout() -> BaseResponse:
        wish = authz.oidc.logouts.wish(_once())
        authz.sessions.sign_out(current_caller())
        return forget_session(_go(wish.address or url_for("yinxin.sign_in")))


def _once() -> dict[str, str]:
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InvalidRequest(parameter=name[:40])
    return {name: value for name, value in request.args.items() if name not in (_OWN, "lang")}


def _again() -> str:
    """The address of this request, as our own page asks for it."""
    query = [(name, value) for name, values in request.args.lists() for value in values if name != _OWN]
    return f"{request.path}?{urlencode([*query, (_OWN, '1')])}"


def _come_again() -> Response:
    """The session's cookie is never sent with what another site began; so the browser begins anew, from here."""
    return make_response(render_template("oidc/go.html", address=_again(), own=True))


def _go(address: str) -> Response:
    return make_response(render_template("oidc/go.html", address=address, own=address.startswith("/")))
