"""Clients over HTTP: registered, listed, ended by the security officer."""

from typing import TYPE_CHECKING

from flask import Blueprint
from pydantic import Field

from authz.errors import UnknownOrgan
from authz.oidc import errors
from authz.oidc.clients import Client, Registration
from authz.oidc.models import GrantRow
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz


#: a client's secret is shown once; who did not get it makes the client a new one
_RENEW = Text(
    "口令只显示一次，请以新的幂等键为该系统更换口令",
    "a secret is shown once: renew the client's secret under a new key",
)


class SecretIn(Model):
    """An empty body."""


class ClientOut(Model):
    """A client as it is registered, and whether it was ended."""

    registration: Registration
    ended: bool


class ClientQuery(Paged):
    """Which clients, and which page."""

    under: str = Field(default="", max_length=64)
    """Of this organ and those below; the own one if left out."""
    in_use: bool = False
    """Only those that were not ended."""


class SignedOnOut(Model):
    """What a person granted the client in one of her sessions; ends with that session at the latest."""

    id: str
    person: str
    post: str
    session: str
    scopes: list[str]
    created: str
    expires: str


class SecretOut(Model):
    """The secret, shown once; none for a client that has no secret."""

    client: str
    secret: str | None


def routes(authz: "Authz") -> tuple[Blueprint, ...]:
    """The operations on clients."""
    api = Api("oidc_clients", "/api/authz/v1/clients", Text("接入系统", "Clients of the sign-on"))
    clients = authz.oidc.clients

    @api.get("", problems=(Denied,), summary=Text("接入系统清单", "The clients"))
    def listing(query: ClientQuery, caller: Caller) -> Page[ClientOut]:
        found = clients.list_for(
            caller.actor,
            under=query.under or None,
            in_use=query.in_use,
            after=query.begin(str) or "",
            limit=query.limit + 1,
        )
        return page_of(found, query.limit, key=lambda client: client.id, show=_out)

    @api.get("/<id>", problems=(Denied, errors.UnknownClient), summary=Text("一个接入系统", "One client"))
    def client(id: str, caller: Caller) -> ClientOut:  # noqa: A002 - the field's name
        return _out(clients.shown_for(caller.actor, id))

    @api.get(
        "/<id>/sessions",
        problems=(Denied, errors.UnknownClient),
        summary=Text("正在使用该系统的人", "Who is signed on to a client"),
    )
    def client_sessions(id: str, query: Paged, caller: Caller) -> Page[SignedOnOut]:  # noqa: A002 - the field's name
        clients.shown_for(caller.actor, id)
        found = clients.signed_on(id, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_signed_on)

    @api.post(
        "",
        status=201,
        problems=(Denied, UnknownOrgan, errors.BadClient, errors.ClientTaken),
        secret=_RENEW,
        summary=Text("登记接入系统", "Register a client"),
    )
    def register(body: Registration, caller: Caller) -> SecretOut:
        return SecretOut(client=body.id, secret=clients.register(caller.actor, body))

    @api.post(
        "/<id>/secret",
        problems=(Denied, errors.UnknownClient, errors.BadClient),
        secret=_RENEW,
        summary=Text("更换口令", "Renew a client's secret"),
    )
    def renew(id: str, body: SecretIn, caller: Caller) -> SecretOut:  # noqa: A002, ARG001 - the field's name; an empty object
        return SecretOut(client=id, secret=clients.renew_secret(caller.actor, id))

    @api.delete(
        "/<id>", problems=(Denied, errors.UnknownClient), summary=Text("停用接入系统", "End a client")
    )
    def end(id: str, caller: Caller) -> None:  # noqa: A002 - the field's name
        clients.end(caller.actor, id)

    return (api.blueprint,)


def _out(client: Client) -> ClientOut:
    return ClientOut(registration=client.registration, ended=client.ended)


def _signed_on(each: GrantRow) -> SignedOnOut:
    return SignedOnOut(
        id=each.id,
        person=each.person,
        post=each.post,
        session=each.session,
        scopes=each.scope.split(),
        created=rfc3339(each.created),
        expires=rfc3339(each.expires),
    )
