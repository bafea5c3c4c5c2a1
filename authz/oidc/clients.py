"""Clients: registered by the security officer, never under an identifier that was used before."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

import sqlalchemy as sa
from pydantic import Field

from authz.challenges import text_token, token_hash
from authz.decide import Decisions
from authz.directory.tree import reached
from authz.errors import UnknownOrgan
from authz.models import OrganRow
from authz.oidc.errors import BadClient, ClientTaken, UnknownClient
from authz.oidc.machine import actor_of
from authz.oidc.models import ClientRow, GrantRow, ServiceTokenRow
from authz.oidc.scopes import SCOPES, SERVICE_SCOPES, audience_of
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Level, Resource
from yinxin.crypto.jose import Jwk
from yinxin.errors import Invalid, Untrue
from yinxin.outward import Networks
from yinxin.store import Store
from yinxin.text import Text
from yinxin.wire import Model, Words

Authentication = Literal["secret", "private_key_jwt", "tls_client_auth", "none"]
Grant = Literal["authorization_code", "refresh_token", "device_code", "client_credentials"]
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_NOT_PUBLIC = Text(
    "不能是本机或内网地址，除非 authz.oidc.logout_networks 已列出该网段",
    "no loopback or private address, unless authz.oidc.logout_networks names its network",
)
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{1,63}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class Registration(Model):
    """What a client is registered with; `register` holds it to its rules."""

    id: str = Field(pattern=f"^{_ID.pattern}$")
    """The client_id."""
    name: Words
    """What people read when they are asked."""
    organ: str = Field(max_length=64)
    """The organ that runs it."""
    authentication: Authentication = "secret"
    """How it proves who it is at the token endpoint; `none` is a program on people's own machines."""
    grants: tuple[Grant, ...] = ("authorization_code",)
    scopes: tuple[str, ...] = ("openid",)
    """What it may ask for, at most."""
    redirect_uris: tuple[str, ...] = ()
    """Where codes are sent, compared letter by letter."""
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    """Where it is told that a session is over."""
    jwks: tuple[dict[str, Any], ...] = ()
    """Its public keys (RFC 7517), for `private_key_jwt`."""
    certificate: str | None = None
    """SHA-256 of its certificate's DER, hexadecimal, for `tls_client_auth`."""
    consent: Literal["asked", "registered"] = "asked"
    """Whether people are asked, or the officer's registration answers for the organ's own staff systems."""
    clearance: Level = "internal"
    """How secret what it handles in its own name may be."""
    introspects: bool = False
    """Whether it may ask about other clients' tokens: a service that takes them."""


class Client(Model):
    """A registered client."""

    registration: Registration
    secret_hash: str | None
    ended: bool

    @property
    def id(self) -> str:
        """The client_id."""
        return self.registration.id

    @property
    def actor(self) -> Actor:
        """The client as it acts in its own name."""
        return actor_of(self.id, self.registration.organ)


class Clients:
    """The clients of this site."""

    def __init__(self, store: Store, decisions: Decisions, networks: Networks) -> None:
        self._store = store
        self._decisions = decisions
        self._networks = networks

    def check(self, wanted: Registration) -> None:
        """What one field alone does not say; raises BadClient."""
        check(wanted, self._networks)

    def register(self, actor: Actor, wanted: Registration) -> str | None:
        """Register it; its secret, which is shown once, when it has one.

        Raises BadClient, UnknownOrgan, ClientTaken, Denied.
        """
        permission = self._decisions.require(actor, "authz.register-client", _resource(wanted))
        self.check(wanted)
        secret = text_token(self._store.randomness.token(32)) if wanted.authentication == "secret" else None
        taken = partial(ClientTaken, client=wanted.id)
        with self._store.act(
            actor, "authz.register-client", f"client:{wanted.id}", taken=taken, organ=wanted.organ
        ) as act:
            act.decision = permission.record()
            act.facts |= {"scopes": list(wanted.scopes), "grants": list(wanted.grants)}
            if act.session.get(OrganRow, wanted.organ) is None:
                raise UnknownOrgan(organ=wanted.organ)
            if act.session.get(ClientRow, wanted.id) is not None:
                raise ClientTaken(client=wanted.id)
            act.session.add(
                ClientRow(
                    id=wanted.id,
                    organ=wanted.organ,
                    details=wanted.model_dump(mode="json"),
                    secret_hash=token_hash(secret) if secret else None,
                    created=self._store.clock.now(),
                )
            )
        return secret

    def end(self, actor: Actor, client_id: str) -> None:
        """End it and everything granted to it; its identifier is never used again. Raises UnknownClient, Denied."""
        client = self.get(client_id)
        permission = self._decisions.require(actor, "authz.end-client", _resource(client.registration))
        now = self._store.clock.now()
        with self._store.act(actor, "authz.end-client", f"client:{client_id}") as act:
            act.decision = permission.record()
            act.session.execute(
                sa.update(ClientRow)
                .where(ClientRow.id == client_id, ClientRow.ended.is_(None))
                .values(ended=now)
            )
            granted = sa.update(GrantRow).where(GrantRow.client == client_id, GrantRow.ended.is_(None))
            act.session.execute(granted.values(ended=now))

    def renew_secret(self, actor: Actor, client_id: str) -> str:
        """A new secret in the place of the old one, shown once; tokens that the client got in its own name end with that one.

        Raises UnknownClient, BadClient, Denied.
        """
        client = self.get(client_id)
        permission = self._decisions.require(
            actor, "authz.renew-client-secret", _resource(client.registration)
        )
        if client.registration.authentication != "secret":
            raise BadClient(field="authentication", reason=Text("未使用口令", "it has no secret"))
        secret = text_token(self._store.randomness.token(32))
        with self._store.act(actor, "authz.renew-client-secret", f"client:{client_id}") as act:
            act.decision = permission.record()
            renewed = sa.update(ClientRow).where(ClientRow.id == client_id)
            act.session.execute(renewed.values(secret_hash=token_hash(secret)))
            # a secret is renewed when somebody may have had it: what was got by the old one is worth nothing either
            theirs = sa.update(ServiceTokenRow).where(
                ServiceTokenRow.client == client_id, ServiceTokenRow.revoked.is_(None)
            )
            act.session.execute(theirs.values(revoked=self._store.clock.now()))
        return secret

    def get(self, client_id: str) -> Client:
        """A client that is in use; raises UnknownClient."""
        # what is no identifier is not looked for: databases take no such text
        if not _ID.fullmatch(client_id):
            raise UnknownClient(client=client_id[:64])
        with self._store.read() as session:
            row = session.get(ClientRow, client_id)
            if row is None or row.ended is not None:
                raise UnknownClient(client=client_id[:64])
            return client_of(row)

    def permit_reading(self, actor: Actor, organ: str) -> None:
        """Raise Denied, recorded, unless the actor may see the clients of organs at or below this one."""
        self._decisions.require(actor, "authz.read-clients", Resource("Client", "*", organ))

    def list_for(
        self,
        actor: Actor,
        *,
        under: str | None = None,
        in_use: bool = False,
        after: str = "",
        limit: int = 200,
    ) -> Sequence[Client]:
        """The clients of `under` (the own organ) and those below, by identifier; ended ones too unless `in_use`.

        Raises Denied, UnknownOrgan.
        """
        part = under or actor.organ or PLATFORM
        self.permit_reading(actor, part)
        query = sa.select(ClientRow).where(ClientRow.id > after, ClientRow.organ.in_(reached(part)))
        if in_use:
            query = query.where(ClientRow.ended.is_(None))
        with self._store.read() as session:
            return [client_of(row) for row in session.scalars(query.order_by(ClientRow.id).limit(limit))]

    def named(self, text: str, *, limit: int) -> Sequence[Client]:
        """Systems in use that act in their own name, and whose name or identifier holds `text`; by identifier."""
        query = sa.select(ClientRow).where(ClientRow.ended.is_(None)).order_by(ClientRow.id)
        found: list[Client] = []
        with self._store.read() as session:
            for row in session.scalars(query):
                each = client_of(row)
                name = each.registration.name
                if "client_credentials" in each.registration.grants and any(
                    text.lower() in part.lower() for part in (row.id, name.zh, name.en)
                ):
                    found.append(each)
                    if len(found) == limit:
                        break
        return found

    def shown_for(self, actor: Actor, client_id: str) -> Client:
        """One client, in use or ended; raises UnknownClient, Denied."""
        if not _ID.fullmatch(client_id):
            raise UnknownClient(client=client_id[:64])
        with self._store.read() as session:
            row = session.get(ClientRow, client_id)
            found = client_of(row) if row is not None else None
        if found is None:
            raise UnknownClient(client=client_id[:64])
        self.permit_reading(actor, found.registration.organ)
        return found

    def signed_on(self, client_id: str, *, after: str = "", limit: int = 50) -> Sequence[GrantRow]:
        """What people granted the client that has not ended, oldest first, detached."""
        now = self._store.clock.now()
        query = (
            sa.select(GrantRow)
            .where(
                GrantRow.client == client_id,
                GrantRow.ended.is_(None),
                GrantRow.expires > now,
                GrantRow.id > after,
            )
            .order_by(GrantRow.id)
            .limit(limit)
        )
        with self._store.read() as session:
            rows = list(session.scalars(query))
            session.expunge_all()
        return rows


def client_of(row: Any) -> Client:
    """The client in this row of `ClientRow`."""
    return Client(
        registration=Registration.model_validate(row.details),
        secret_hash=row.secret_hash,
        ended=row.ended is not None,
    )


def _resource(wanted: Registration) -> Resource:
    # nobody gives a system a clearance above the own: the resource has its level
    service = "client_credentials" in wanted.grants
    return Resource("Client", wanted.id, wanted.organ, level=wanted.clearance if service else "public")


def check(wanted: Registration, networks: Networks) -> None:
    """Hold it to its rules; raises BadClient. Where a name leads is looked at whenever something is sent there."""
    _needed(wanted)
    for field, addresses in (
        ("redirect_uris", wanted.redirect_uris),
        ("post_logout_redirect_uris", wanted.post_logout_redirect_uris),
        ("backchannel_logout_uri", (wanted.backchannel_logout_uri,) if wanted.backchannel_logout_uri else ()),
    ):
        for address in addresses:
            if (fault := _fault(address)) is not None:
                raise BadClient(field=field, reason=fault)
    told = wanted.backchannel_logout_uri
    if told is not None and not networks.permit_host(urlsplit(told).hostname or ""):
        raise BadClient(field="backchannel_logout_uri", reason=_NOT_PUBLIC)
    for each in wanted.jwks:
        try:
            Jwk.read(each)
        except (Invalid, Untrue) as error:
            raise BadClient(field="jwks", reason=error) from error


def _needed(wanted: Registration) -> None:
    unknown = [each for each in wanted.scopes if each not in {*SCOPES, *SERVICE_SCOPES}]
    coded = "authorization_code" in wanted.grants
    signs_in = bool({"authorization_code", "device_code"} & set(wanted.grants))
    service = "client_credentials" in wanted.grants
    own = SERVICE_SCOPES.keys() & set(wanted.scopes)
    # whoever writes sees what comes of it; and what a system may in the directory rests on what it sees
    sees = "scim.read" in own or not any(audience_of(each) == "scim" for each in own)
    rules: Mapping[str, tuple[bool, Text]] = {
        "scopes": (
            not unknown and signs_in == ("openid" in wanted.scopes) and service == bool(own) and sees,
            Text(
                "只能取 " + "、".join((*SCOPES, *SERVICE_SCOPES)) + "；登录须含 openid，client_credentials 须含后者之一，scim 各项须含 scim.read",
                "of: " + ", ".join((*SCOPES, *SERVICE_SCOPES)) + "; signing in needs openid, client_credentials one of the latter, those of scim need scim.read",
            ),
        ),
        "grants": (
            signs_in or service,
            Text("至少一种登录方式，或 client_credentials", "one way to sign in, at least, or client_credentials"),
        ),
        "authentication": (
            not service or wanted.authentication != "none",
            Text("以自身名义访问的系统须能证明身份", "a system that acts in its own name has to prove who it is"),
        ),
        "redirect_uris": (
            coded == bool(wanted.redirect_uris),
            Text("授权码方式需要回调地址", "the code grant needs a redirect address, and nothing else has one"),
        ),
        "jwks": (
            (wanted.authentication == "private_key_jwt") == bool(wanted.jwks),
            Text("private_key_jwt 需要公钥", "private_key_jwt needs public keys, and nothing else has them"),
        ),
        "certificate": (
            (wanted.authentication == "tls_client_auth")
            == bool(wanted.certificate and _FINGERPRINT.fullmatch(wanted.certificate)),
            Text("tls_client_auth 需要证书的 SHA-256（64 位小写十六进制）", "tls_client_auth needs a certificate's SHA-256 in 64 small hexadecimal digits"),
        ),
        "consent": (
            wanted.consent == "asked" or wanted.authentication != "none",
            Text("不能证明身份的程序须征得本人同意", "a program that cannot prove who it is has to ask"),
        ),
    }  # fmt: skip
    for field, (kept, reason) in rules.items():
        if not kept:
            raise BadClient(field=field, reason=reason)


def _fault(address: str) -> Text | None:
    """Why codes may not be sent there: it is read by others, or means more than one place."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return Text("不是网址", "not an address")
    if not re.fullmatch(r"[!-~]{1,500}", address) or "*" in address or "\\" in address:
        return Text("只能含可见 ASCII 字符，不能用通配符", "visible ASCII characters without wildcards")
    if not host or parts.fragment or "#" in address or parts.username is not None:
        return Text("须为完整网址，不含片段和用户名", "a whole address without fragment or user name")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        return Text("须为 https（本机回环地址可用 http）", "https, or http on the loopback address")
    return None
