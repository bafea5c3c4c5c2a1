"""Tokens that a client gets in its own name (RFC 6749 4.4): for systems that read or feed the directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from authz.challenges import text_token, token_hash
from authz.oidc.clients import Client, Clients
from authz.oidc.errors import InvalidScope, UnknownClient
from authz.oidc.models import ServiceTokenRow
from authz.oidc.scopes import SERVICE_SCOPES
from yinxin.store import Store


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token in force: whose it is, and for what."""

    client: Client
    scope: str
    created: datetime
    expires: datetime


class ServiceTokens:
    """Gives such tokens, knows them again, and takes them back. They end with their client."""

    def __init__(self, store: Store, clients: Clients, lifetime: timedelta) -> None:
        self._store = store
        self._clients = clients
        self._lifetime = lifetime

    def give(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        """The token response, without a refresh token (RFC 6749 4.4.3); raises InvalidScope."""
        scope = _scope(form.get("scope", ""), client)
        token = text_token(self._store.randomness.token(32))
        now = self._store.clock.now()
        with self._store.act(client.actor, "authz.issue-token", f"client:{client.id}", scope=scope) as act:
            act.session.add(
                ServiceTokenRow(
                    hash=token_hash(token),
                    client=client.id,
                    scope=scope,
                    created=now,
                    expires=now + self._lifetime,
                )
            )
        seconds = int(self._lifetime.total_seconds())
        return {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": scope}

    def of(self, token: str) -> ServiceToken | None:
        """The token, if it is in force and its client too."""
        with self._store.read() as session:
            row = session.get(ServiceTokenRow, token_hash(token))
            if row is None or row.revoked is not None or row.expires <= self._store.clock.now():
                return None
            name, scope, created, expires = row.client, row.scope, row.created, row.expires
        try:
            client = self._clients.get(name)
        except UnknownClient:
            return None
        registered = set(client.registration.scopes)
        if not set(scope.split()) <= registered:
            return None
        return ServiceToken(client, scope, created, expires)

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


def _scope(text: str, client: Client) -> str:
    """The scope in the order we name them, all that is registered when nothing is asked for; raises InvalidScope."""
    registered = [each for each in SERVICE_SCOPES if each in client.registration.scopes]
    asked = text.split(" ") if text else registered
    for each in asked:
        if each not in registered:
            raise InvalidScope(client=client.id, scope=each[:40])
    return " ".join(each for each in registered if each in asked)
