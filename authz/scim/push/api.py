"""Receivers over HTTP: registered, listed, told at once, ended by the security officer."""

from typing import TYPE_CHECKING

from flask import Blueprint

from authz.oidc.errors import UnknownClient
from authz.scim.push import errors
from authz.scim.push.receivers import Receiver, Standing
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz


class RegisteredOut(Model):
    """The receiver that is told from now on."""

    receiver: str


class PushIn(Model):
    """How it is told."""

    dry_run: bool = False
    """Only say what a whole turn would come to, and send nothing."""
    confirm: bool = False
    """However many may leave it at once."""


class ToldOut(Model):
    """What a turn came to, or would."""

    receiver: str
    made: int
    changed: int
    left: int
    refused: int
    same: int
    complete: bool
    failure: str | None


def routes(authz: "Authz") -> tuple[Blueprint, ...]:
    """The operations on receivers."""
    api = Api("scim_receivers", "/api/authz/v1/receivers", Text("接收系统", "Receivers of the directory"))

    @api.get("", problems=(Denied,), summary=Text("接收系统清单", "The receivers, and how far each is"))
    def listing(query: Paged, caller: Caller) -> Page[Standing]:
        found = authz.scim_receivers.list_for(
            caller.actor, after=query.begin(str) or "", limit=query.limit + 1
        )
        return page_of(found, query.limit, key=lambda each: each.receiver.id, show=lambda each: each)

    @api.post(
        "",
        status=201,
        problems=(Denied, UnknownClient, errors.BadReceiver, errors.BadSecretFile, errors.ReceiverTaken),
        summary=Text("登记接收系统", "Register a receiver"),
    )
    def register(body: Receiver, caller: Caller) -> RegisteredOut:
        authz.scim_receivers.register(caller.actor, body)
        return RegisteredOut(receiver=body.id)

    @api.post(
        "/<id>/push",
        problems=(Denied, errors.UnknownReceiver),
        summary=Text("立即推送", "Tell a receiver now"),
    )
    def push(id: str, body: PushIn, caller: Caller) -> ToldOut:  # noqa: A002 - the field's name
        told = authz.scim_push_for(caller.actor, id, rehearse=body.dry_run, confirmed=body.confirm)
        return ToldOut(**told.fields())

    @api.delete(
        "/<id>", problems=(Denied, errors.UnknownReceiver), summary=Text("停用接收系统", "End a receiver")
    )
    def end(id: str, caller: Caller) -> None:  # noqa: A002 - the field's name
        authz.scim_receivers.end(caller.actor, id)

    return (api.blueprint,)
