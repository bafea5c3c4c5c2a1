"""The systems that rely on our sign-in: registered, given a new secret, ended, and who is signed on to them."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, make_response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from authz.grant import Grant
from authz.oidc.clients import Client, Registration
from authz.oidc.errors import BadClient
from authz.oidc.scopes import SCOPES
from authz.registering import registration
from ops.console.export import csv_file
from ops.console.reviews import part
from yinxin.authz import LEVEL_TEXT, PLATFORM, Level, Resource
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, current_caller, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz
    from ops.platform import Platform

PAGE = 50
WAYS: Mapping[str, Text] = {
    "secret": Text("口令", "a secret"),
    "private_key_jwt": Text("自有密钥签名（private_key_jwt）", "its own key (private_key_jwt)"),
    "tls_client_auth": Text("客户端证书（tls_client_auth）", "its certificate (tls_client_auth)"),
    "none": Text("无（装在人员计算机上的程序）", "none (a program on people's machines)"),
}
GRANTS: Mapping[str, Text] = {
    "authorization_code": Text("授权码（浏览器）", "authorization code (browser)"),
    "refresh_token": Text("刷新令牌", "refresh token"),
    "device_code": Text("设备码（无浏览器的设备）", "device code (no browser)"),
    "client_credentials": Text("以系统自身名义（无人登录）", "in its own name (nobody signs in)"),
}
#: what may be asked for: about the person who signs in, and by a system in its own name
ALL_SCOPES: Mapping[str, Text] = {
    **SCOPES,
    "scim.read": Text("以自身名义读取名录（SCIM）", "in its own name: read the directory (SCIM)"),
    "scim.write": Text("以自身名义变更名录（SCIM）", "in its own name: change the directory (SCIM)"),
    "scim.clearance": Text("以自身名义读取涉密等级（SCIM）", "in its own name: read clearances (SCIM)"),
    "kms.use": Text("以自身名义使用获授权的服务密钥", "in its own name: use the service keys it was granted"),
}
CONSENT: Mapping[str, Text] = {
    "asked": Text("征得本人同意", "people are asked"),
    "registered": Text(
        "由登记代表同意（机关自有系统）", "the registration answers for them (the organ's own system)"
    ),
}
COLUMNS = ("id", "name_zh", "name_en", "organ", "authentication", "scopes", "ended")
LOST = Text(
    "口令只显示一次；如未记下，请更换口令。", "The secret is shown once; if it was not kept, renew it."
)


class Look(Paged):
    """Which clients; no organ is the own one."""

    under: str = Field(default="", max_length=64)
    state: Literal["", "in-use"] = ""


class NewClient(Model):
    """The form; lists are a line each, and what is empty is left out."""

    id: str = Field(min_length=1, max_length=64)
    name_zh: str = Field(min_length=1, max_length=100)
    name_en: str = Field(min_length=1, max_length=100)
    organ: str = Field(min_length=1, max_length=64)
    authentication: Literal["secret", "private_key_jwt", "tls_client_auth", "none"] = "secret"
    grants: tuple[str, ...] = ("authorization_code",)
    scopes: tuple[str, ...] = ("openid",)
    redirect_uris: str = ""
    post_logout_redirect_uris: str = ""
    backchannel_logout_uri: str = ""
    jwks: str = ""
    certificate: str = ""
    consent: Literal["asked", "registered"] = "asked"
    clearance: Level = "internal"
    introspects: bool = False

    def wanted(self) -> dict[str, Any]:
        """What is registered, as the service takes it."""
        given = {
            "id": self.id,
            "name": {"zh": self.name_zh, "en": self.name_en},
            "organ": self.organ,
            "authentication": self.authentication,
            "grants": self.grants,
            "scopes": self.scopes,
            "redirect_uris": tuple(self.redirect_uris.split()),
            "post_logout_redirect_uris": tuple(self.post_logout_redirect_uris.split()),
            "backchannel_logout_uri": self.backchannel_logout_uri or None,
            "certificate": self.certificate or None,
            "consent": self.consent,
            "clearance": self.clearance,
            "introspects": self.introspects,
        }
        return given | ({"jwks": _keys(self.jwks)} if self.jwks else {})


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform.authz)
    _add_acting(pages, platform.authz)


def _add_looking(pages: Pages, authz: "Authz") -> None:
    clients = authz.oidc.clients

    @pages.get("/console/clients")
    def client_list(query: Look, caller: Caller) -> str:
        under = part(caller, query.under)
        found = clients.list_for(
            caller.actor,
            under=under,
            in_use=bool(query.state),
            after=query.begin(str) or "",
            limit=PAGE + 1,
        )
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "console/clients.html",
            rows=found[:PAGE],
            following=page.next,
            under=under,
            ways=WAYS,
            may=_may(authz, caller, "authz.register-client", "*", under),
        )

    @pages.get("/console/clients.csv")
    def clients_export(query: Look, caller: Caller) -> Response:
        """Every client that matches."""
        under = part(caller, query.under)
        first = clients.list_for(caller.actor, under=under, in_use=bool(query.state))

        def rows() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                yield from map(_line, page)
                page = clients.list_for(
                    caller.actor, under=under, in_use=bool(query.state), after=page[-1].id
                )

        return csv_file("clients.csv", rows(), COLUMNS)

    @pages.get("/console/clients/<id>")
    def client(id: str, query: Paged, caller: Caller) -> str:  # noqa: A002 - the field's name
        found = clients.shown_for(caller.actor, id)
        signed_on = clients.signed_on(id, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(signed_on, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        organ = found.registration.organ
        return render_template(
            "console/client.html",
            client=found,
            rows=signed_on[:PAGE],
            following=page.next,
            ways=WAYS,
            grants=GRANTS,
            consent=CONSENT,
            scopes=ALL_SCOPES,
            levels=LEVEL_TEXT,
            granted=_granted(authz, caller, found),
            templates=authz.decisions.policies.templates,
            may_end=not found.ended and _may(authz, caller, "authz.end-client", id, organ),
            may_renew=not found.ended
            and found.registration.authentication == "secret"
            and _may(authz, caller, "authz.renew-client-secret", id, organ),
        )


def _add_acting(pages: Pages, authz: "Authz") -> None:
    clients = authz.oidc.clients

    def context() -> Mapping[str, Any]:
        caller = current_caller()
        clients.permit_reading(caller.actor, part(caller, ""))
        return {
            "own": part(caller, ""),
            "ways": WAYS,
            "grants": GRANTS,
            "consent": CONSENT,
            "scopes": ALL_SCOPES,
            "levels": LEVEL_TEXT,
        }

    @pages.form("/console/clients/new", "console/client_new.html", context=context, secret=LOST)
    def client_new(body: NewClient, caller: Caller) -> BaseResponse:
        secret = clients.register(caller.actor, registration(Registration, body.wanted(), BadClient))
        return _told(body.id, secret)

    @pages.act("/console/clients/<id>/secret", secret=LOST)
    def client_renew(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        return _told(id, clients.renew_secret(caller.actor, id))

    @pages.act("/console/clients/<id>/end")
    def client_end(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        clients.end(caller.actor, id)
        return redirect(url_for("console.client", id=id), 303)


def _granted(authz: "Authz", caller: Caller, system: Client) -> tuple[Grant, ...] | None:
    """What the system was granted in the reader's part of the tree and is in force; None where that is not for her to see."""
    under = caller.actor.organ or PLATFORM
    asked = Resource("Grant", "*", under)
    if "client_credentials" not in system.registration.grants:
        return None
    if not authz.decisions.check(caller.actor, "authz.read-grants", asked).allowed:
        return None
    at = authz.store.clock.now()
    return authz.grants.listed_for(caller.actor, under=under, holding=f"client:{system.id}", at=at, limit=200)


def _told(client: str, secret: str | None) -> BaseResponse:
    """The secret on a page of its own, this once; without one the client's page."""
    if secret is None:
        return redirect(url_for("console.client", id=client), 303)
    return make_response(render_template("console/client_secret.html", client=client, secret=secret))


def _keys(text: str) -> Any:
    """The keys as JSON: a list, or a set (RFC 7517 5); what is neither the registration refuses by name."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found.get("keys", found) if isinstance(found, dict) else found


def _may(authz: "Authz", caller: Caller, verb: str, id_: str, organ: str) -> bool:
    return authz.decisions.check(caller.actor, verb, Resource("Client", id_, organ)).allowed


def _line(each: Client) -> dict[str, Any]:
    wanted = each.registration
    return {
        "id": each.id,
        "name_zh": wanted.name.zh,
        "name_en": wanted.name.en,
        "organ": wanted.organ,
        "authentication": wanted.authentication,
        "scopes": " ".join(wanted.scopes),
        "ended": each.ended,
    }
