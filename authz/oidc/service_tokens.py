"""Tokens that a client gets in its own name (RFC 6749 4.4): to read or feed the directory, or to use service keys.

A token is for one service (`aud`, RFC 8707) and no other takes it. That of a client which proves itself by its
certificate is bound to that certificate (RFC 8705 section 3): only on a connection that shows it, and while it is in force,
is the token worth anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from authz.challenges import text_token, token_hash
from authz.checker import CertificateChecker
from authz.oidc.clients import Client, Clients
from authz.oidc.errors import InvalidScope, InvalidTarget, UnknownClient
from authz.oidc.models import ServiceTokenRow
from authz.oidc.scopes import AUDIENCES, SERVICE_SCOPES, audience_of
from yinxin.crypto.suite import INTL
from yinxin.store import Store

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


class ServiceTokens:
    """Gives such tokens, knows them again, and takes them back. They end with their client.

    `issuer` is the address below which the services are.
    """

    def __init__(
        self, store: Store, clients: Clients, checker: CertificateChecker, lifetime: timedelta, issuer: str
    ) -> None:
        self._store = store
        self._clients = clients
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
        with self._store.read() as session:
            row = session.get(ServiceTokenRow, token_hash(token))
            if row is None or row.revoked is not None or row.expires <= self._store.clock.now():
                return None
            name, scope, audience, bound = row.client, row.scope, row.audience, row.certificate
            created, expires = row.created, row.expires
            if bound is not None and self._checker.revoked(bound, session):
                return None
        try:
            client = self._clients.get(name)
        except UnknownClient:
            return None
        registered = client.registration
        if not set(scope.split()) <= set(registered.scopes) or bound != registered.certificate:
            return None
        return ServiceToken(client, scope, audience, bound, created, expires)

    def shown(self, token: str, audience: str, peer: bytes | None) -> ServiceToken | None:
        """As `of`, for the service `audience`, on a connection of the certificate `peer` (DER); None unless it is for both."""
        found = self.of(token)
        if found is None or found.audience != audience:
            return None
        shows = INTL.hash.digest(peer).hex() if peer is not None else None
        return found if found.certificate in (None, shows) else None

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
