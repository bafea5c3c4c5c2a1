"""Receivers: registered by the security officer for a client, whose part of the tree and scopes say what they are told."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, cast
from urllib.parse import urlsplit

import sqlalchemy as sa
from pydantic import Field

from authz.decide import Decisions
from authz.directory.tree import reached
from authz.oidc.clients import Client, Clients
from authz.scim.push.errors import BadReceiver, ReceiverTaken, UnknownReceiver
from authz.scim.push.models import DeliveryRow, ReceiverRow, SentRow
from authz.scim.push.secret import Secrets
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Level, Resource
from yinxin.outward import Networks
from yinxin.store import Store
from yinxin.text import Text
from yinxin.wire import Model

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Receiver(Model):
    """What a receiver is registered with."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,63}$")
    """Its identifier."""
    client: str = Field(max_length=64)
    """The registered client that it is: what that may read, it is told."""
    url: str = Field(max_length=400)
    """Its SCIM service, without the resource: https://mail.example.gov.cn/scim/v2."""
    authentication: Literal["token", "client_credentials"] = "token"
    """A token of its own, or one that is asked for each time (RFC 6749 4.4)."""
    secret: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    """Name of the file with the token, or with the client's secret, in the folder `authz.scim.secrets`.

    It is called as `client`, or that with an underscore and anything behind: so the administrator says whose it is.
    """
    token_url: str = Field(default="", max_length=400)
    """Where a token is asked for."""
    client_id: str = Field(default="", max_length=200)
    """As whom it is asked for."""
    scope: str = Field(default="", max_length=200)
    """For what it is asked for; empty asks for nothing in particular."""
    groups: bool = True
    """Whether it is told of posts and their holders, and not of people alone."""
    extensions: tuple[Literal["enterprise", "yinxin"], ...] = ("enterprise",)
    """Which extensions of a person it understands."""
    on_leaving: Literal["deactivate", "delete"] = "deactivate"
    """What becomes of a person there who retired or went out of sight."""


class Standing(Model):
    """A receiver and how far it is."""

    receiver: Receiver
    ended: bool
    failure: str | None
    tries: int
    swept: str | None
    sent: int
    refused: int


class Receivers:
    """The receivers of this site."""

    def __init__(
        self, store: Store, decisions: Decisions, clients: Clients, networks: Networks, secrets: Secrets
    ) -> None:
        self._secrets = secrets
        self._store = store
        self._decisions = decisions
        self._clients = clients
        self._networks = networks

    def check(self, wanted: Receiver) -> Client:
        """Hold it to its rules; the client whose rights it has. Raises BadReceiver, UnknownClient, BadSecretFile."""
        client = self._clients.get(wanted.client)
        if "scim.read" not in client.registration.scopes:
            none = Text("该接入系统没有 scim.read 范围", "the client is not registered for scim.read")
            raise BadReceiver(field="client", reason=none)
        asked = wanted.authentication == "client_credentials"
        if asked != bool(wanted.token_url) or asked != bool(wanted.client_id):
            both = Text("client_credentials 需要 token_url 和 client_id", "client_credentials needs both")
            raise BadReceiver(field="token_url, client_id", reason=both)
        for field, address in (("url", wanted.url), ("token_url", wanted.token_url)):
            if address and (fault := self._fault(address)) is not None:
                raise BadReceiver(field=field, reason=fault)
        # a client's identifier has no underscore: a file is one client's, and no officer over another sends it to herself
        if wanted.secret.partition("_")[0] != wanted.client:
            whose = Text(
                f"文件名须为 {wanted.client} 或以 {wanted.client}_ 开头",
                f"the file is called {wanted.client}, or begins with {wanted.client}_",
            )
            raise BadReceiver(field="secret", reason=whose)
        self._secrets.read(wanted.secret)
        return client

    def register(self, actor: Actor, wanted: Receiver) -> None:
        """Register it; it is told from the next turn on. Raises as `check`, ReceiverTaken, Denied."""
        client = self.check(wanted)
        organ, level = client.registration.organ, client.registration.clearance
        resource = Resource("Client", wanted.id, organ, level=level)
        permission = self._decisions.require(actor, "authz.register-receiver", resource)
        now = self._store.clock.now()
        taken, subject = partial(ReceiverTaken, receiver=wanted.id), f"receiver:{wanted.id}"
        with self._store.act(actor, "authz.register-receiver", subject, taken=taken) as act:
            act.decision = permission.record()
            act.facts |= {"client": wanted.client, "host": urlsplit(wanted.url).hostname or ""}
            if act.session.get(ReceiverRow, wanted.id) is not None:
                raise ReceiverTaken(receiver=wanted.id)
            details = wanted.model_dump(mode="json")
            act.session.add(
                ReceiverRow(
                    id=wanted.id,
                    client=wanted.client,
                    organ=organ,
                    level=level,
                    details=details,
                    created=now,
                )
            )
            act.session.add(DeliveryRow(receiver=wanted.id, due=now, tries=0, position="", number=-1))

    def end(self, actor: Actor, receiver: str) -> None:
        """Tell it nothing any more; what it has been told it keeps. Raises UnknownReceiver, Denied."""
        with self._store.read() as session:
            row = session.get(ReceiverRow, receiver)
            if row is None or row.ended is not None:
                raise UnknownReceiver(receiver=receiver[:64])
            resource = Resource("Client", row.id, row.organ, level=cast("Level", row.level))
        permission = self._decisions.require(actor, "authz.end-receiver", resource)
        with self._store.act(actor, "authz.end-receiver", f"receiver:{receiver}") as act:
            act.decision = permission.record()
            ended = sa.update(ReceiverRow).where(ReceiverRow.id == receiver)
            act.session.execute(ended.values(ended=self._store.clock.now()))
            for table in (DeliveryRow, SentRow):
                act.session.execute(sa.delete(table).where(table.receiver == receiver))

    def permit_push(self, actor: Actor, receiver: str) -> Receiver:
        """The receiver, for somebody who may have it told now; raises UnknownReceiver, Denied."""
        with self._store.read() as session:
            row = session.get(ReceiverRow, receiver)
            if row is None or row.ended is not None:
                raise UnknownReceiver(receiver=receiver[:64])
            resource = Resource("Client", row.id, row.organ, level=cast("Level", row.level))
            wanted = Receiver.model_validate(row.details)
        self._decisions.require(actor, "authz.scim-push", resource)
        return wanted

    def get(self, receiver: str) -> Receiver:
        """A receiver that is in use; raises UnknownReceiver."""
        with self._store.read() as session:
            row = session.get(ReceiverRow, receiver)
            if row is None or row.ended is not None:
                raise UnknownReceiver(receiver=receiver[:64])
            return Receiver.model_validate(row.details)

    def list_for(self, actor: Actor, *, after: str = "", limit: int = 200) -> Sequence[Standing]:
        """The receivers of the own organ and those below, by identifier, ended ones too; raises Denied.

        For whoever may see their clients: where they are and how they prove themselves is not for everybody in a post.
        """
        part = actor.organ or PLATFORM
        self._clients.permit_reading(actor, part)
        sent = (
            sa.select(
                SentRow.receiver,
                sa.func.count().label("sent"),
                sa.func.count(SentRow.failure).label("refused"),
            )
            .group_by(SentRow.receiver)
            .subquery()
        )
        query = (
            sa.select(ReceiverRow, DeliveryRow, sent.c.sent, sent.c.refused)
            .outerjoin(DeliveryRow, DeliveryRow.receiver == ReceiverRow.id)
            .outerjoin(sent, sent.c.receiver == ReceiverRow.id)
            .where(ReceiverRow.id > after, ReceiverRow.organ.in_(reached(part)))
            .order_by(ReceiverRow.id)
            .limit(limit)
        )
        with self._store.read() as session:
            return [_standing(*row) for row in session.execute(query)]

    def _fault(self, address: str) -> Text | None:
        """Why nothing may be sent there."""
        try:
            parts = urlsplit(address)
            host = parts.hostname or ""
            _ = parts.port
        except ValueError:
            return Text("不是网址", "not an address")
        if not host or parts.query or parts.fragment or parts.username is not None:
            return Text(
                "须为完整网址，不含查询、片段和用户名", "a whole address without query, fragment or user name"
            )
        if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
            return Text("须为 https（本机回环地址可用 http）", "https, or http on the loopback address")
        if not self._networks.permit_host(host):
            return Text(
                "不能是本机或内网地址，除非 authz.scim.networks 已列出该网段",
                "no loopback or private address, unless authz.scim.networks names its network",
            )
        return None


def _standing(
    row: ReceiverRow, delivery: DeliveryRow | None, sent: int | None, refused: int | None
) -> Standing:
    swept = delivery.swept if delivery is not None else None
    return Standing(
        receiver=Receiver.model_validate(row.details),
        ended=row.ended is not None,
        failure=delivery.failure if delivery is not None else None,
        tries=delivery.tries if delivery is not None else 0,
        swept=swept.isoformat() if swept is not None else None,
        sent=sent or 0,
        refused=refused or 0,
    )
