"""Tokens that a client gets in its own name (RFC 6749 4.4): to read or feed the directory, or to use service keys.

A token is for one service (`aud`, RFC 8707) and no other takes it. That of a client which proves itself by its
certificate is bound to that certificate (RFC 8705 section 3): only on a connection that shows it, and while it is in force,
is the token worth anything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from authz.challenges import text_token, token_hash
from authz.checker import CertificateChecker
from authz.oidc.clients import Client, client_of
from authz.oidc.errors import InvalidScope, InvalidTarget
from authz.oidc.models import ClientRow, ServiceTokenRow
from authz.oidc.scopes import AUDIENCES, SERVICE_SCOPES, audience_of
from yinxin.crypto.suite import INTL
from yinxin.premise import Between, Outdated, Premise
from yinxin.store import Sql, Store, Within

#: what such a token begins with: whoever finds one in a log knows what leaked, and a session's is looked for elsewhere
MARK = "yx-system."


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token in force: whose it is, for what, for which service, and the certificate it is bound to (SHA-256, hex)."""

    client: Client
    scope: str
    audience: str
    certificate: str | None
    created: datetime
    expires: datetime


@dataclass(eq=False, slots=True)
class _Unchanged:
    """A token and its client exactly as they were; and the certificate that it is bound to still not revoked."""

    token: str
    rows: tuple[Any, Any] = field(repr=False)
    checker: CertificateChecker = field(repr=False)

    def hold(self, within: Within, now: datetime) -> None:  # noqa: ARG002 - the protocol's signature
        """Raise Outdated when it is otherwise."""
        if _rows(within, self.token) != self.rows:
            raise Outdated
        bound = self.rows[0].certificate
        if bound is not None and self.checker.revoked(bound, within):
            raise Outdated


def _rows(within: Within, token: str) -> tuple[Any, Any]:
    """The row of a token, and that of its client; None for one that is not there."""
    row = _TOKEN.first(within, {"named": token})
    return row, _CLIENT.first(within, {"named": row.client}) if row is not None else None


_TOKENS, _CLIENTS = cast("sa.Table", ServiceTokenRow.__table__).c, cast("sa.Table", ClientRow.__table__).c
_TOKEN = Sql(sa.select(*_TOKENS).where(_TOKENS.hash == sa.bindparam("named")))
_CLIENT = Sql(sa.select(*_CLIENTS).where(_CLIENTS.id == sa.bindparam("named")))


class ServiceTokens:
    """Gives such tokens, knows them again, and takes them back. They end with their client.

    `issuer` is the address below which the services are.
    """

    def __init__(self, store: Store, checker: CertificateChecker, lifetime: timedelta, issuer: str) -> None:
        self._store = store
        self._checker = checker
        self._lifetime = lifetime
        self._issuer = issuer

    def give(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        """The token response, without a refresh token (RFC 6749 4.4.3); raises InvalidScope, InvalidTarget."""
        scope, audience = self._scope(form, client)
        token = MARK + text_token(self._store.randomness.token(32))
        certificate, now = client.registration.certificate, self._store.clock.now()
        with self._store.act(
            client.actor, "authz.issue-token", f"client:{client.id}", scope=scope, audience=audience
        ) as act:
            if certificate:
                act.facts["certificate"] = certificate
            act.session.add(
                ServiceTokenRow(
                    hash=token_hash(token),
                    client=client.id,
                    scope=scope,
                    audience=audience,
                    certificate=certificate,
                    created=now,
                    expires=now + self._lifetime,
                )
            )
        seconds = int(self._lifetime.total_seconds())
        return {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": scope}

    def address(self, audience: str) -> str:
        """The service as `aud` names it."""
        return self._issuer + AUDIENCES[audience]

    def of(self, token: str) -> ServiceToken | None:
        """The token, if it is in force and its client too; whoever takes it looks at the audience, and at who shows it."""
        with self._store.look() as look:
            return self._found(look, token_hash(token))[0]

    def _found(self, look: Within, named: str) -> tuple[ServiceToken | None, "_Unchanged"]:
        row, client = rows = _rows(look, named)
        unchanged = _Unchanged(named, rows, self._checker)
        if row is None or row.revoked is not None or row.expires <= self._store.clock.now():
            return None, unchanged
        bound = row.certificate
        if client is None or client.ended is not None or (bound and self._checker.revoked(bound, look)):
            return None, unchanged
        known = client_of(client)
        if (
            not set(row.scope.split()) <= set(known.registration.scopes)
            or bound != known.registration.certificate
        ):
            return None, unchanged
        return ServiceToken(known, row.scope, row.audience, bound, row.created, row.expires), unchanged

    def shown(self, token: str, audience: str | Collection[str], peer: bytes | None) -> ServiceToken | None:
        """As `of`, for the service `audience` or one of several, on a connection of the certificate `peer` (DER); None unless it is for both."""
        known = self.known(token, audience, peer)
        return known[0] if known is not None else None

    def known(
        self, token: str, audience: str | Collection[str], peer: bytes | None
    ) -> tuple[ServiceToken, tuple[Premise, ...]] | None:
        """As `shown`, and what it rests on."""
        with self._store.look() as look:
            found, unchanged = self._found(look, token_hash(token))
        services = {audience} if isinstance(audience, str) else audience
        if found is None or found.audience not in services:
            return None
        shows = INTL.hash.digest(peer).hex() if peer is not None else None
        if found.certificate not in (None, shows):
            return None
        return found, (Between(found.created, found.expires), unchanged)

    def revoke(self, client: Client, token: str) -> None:
        """Take back a token of the client's own; another's, or nobody's, is no error (RFC 7009 2.2)."""
        found = self.of(token)
        if found is None or found.client.id != client.id:
            return
        with self._store.act(client.actor, "authz.revoke-token", f"client:{client.id}") as act:
            back = sa.update(ServiceTokenRow).where(ServiceTokenRow.hash == token_hash(token))
            act.session.execute(back.values(revoked=self._store.clock.now()))

    def forget(self, before: datetime) -> None:
        """Delete what is over since before `before`."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(ServiceTokenRow).where(ServiceTokenRow.expires < before))

    def _scope(self, form: Mapping[str, str], client: Client) -> tuple[str, str]:
        """The scope in the order we name them, and the service it is for.

        All that is registered of the service when nothing is asked for; of more than one service something has to be.
        """
        registered = [each for each in SERVICE_SCOPES if each in client.registration.scopes]
        asked = form["scope"].split(" ") if form.get("scope") else registered
        for each in asked:
            if each not in registered:
                raise InvalidScope(client=client.id, scope=each[:40])
        services = {self.address(each): each for each in AUDIENCES}
        if (resource := form.get("resource")) is not None:
            wanted = services.get(resource.rstrip("/"), "")
            asked = [each for each in asked if audience_of(each) == wanted]
        audiences = {audience_of(each) for each in asked}
        if len(audiences) != 1:
            named = resource[:100] if resource is not None else " ".join(asked)
            raise InvalidTarget(client=client.id, resource=named, known=", ".join(services))
        return " ".join(each for each in registered if each in asked), audiences.pop()
