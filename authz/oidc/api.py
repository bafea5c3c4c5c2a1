"""Clients over HTTP: registered, listed, ended by the security officer."""

from typing import TYPE_CHECKING

from flask import Blueprint

from authz.errors import UnknownOrgan
from authz.oidc import errors
from authz.oidc.clients import Client, Registration
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz


class SecretIn(Model):
    """An empty body."""


class ClientOut(Model):
    """A client as it is registered, and whether it was ended."""

    registration: Registration
    ended: bool


class SecretOut(Model):
    """The secret, shown once; none for a client that has no secret."""

    client: str
    secret: str | None


def routes(authz: "Authz") -> tuple[Blueprint, ...]:
    """The operations on clients."""
    api = Api("oidc_clients", "/api/authz/v1/clients", Text("接入系统", "Clients of the sign-on"))
    clients = authz.oidc.clients

    @api.get("", problems=(Denied,), summary=Text("接入系统清单", "The clients"))
    def listing(query: Paged, caller: Caller) -> Page[ClientOut]:
        found = clients.list_for(caller.actor, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda client: client.id, show=_out)

    @api.post(
        "",
        status=201,
        problems=(Denied, UnknownOrgan, errors.BadClient, errors.ClientTaken),
        summary=Text("登记接入系统", "Register a client"),
    )
    def register(body: Registration, caller: Caller) -> SecretOut:
        return SecretOut(client=body.id, secret=clients.register(caller.actor, body))

    @api.post(
        "/<id>/secret",
        problems=(Denied, errors.UnknownClient, errors.BadClient),
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
