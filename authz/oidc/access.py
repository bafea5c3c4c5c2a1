"""What an access token opens, whether it still does, and taking it back (OIDC Core 5.3, RFC 7662, RFC 7009)."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from authz.oidc.clients import Client
from authz.oidc.errors import InvalidGrant, InvalidToken
from authz.oidc.granted import Grants, actor_of
from authz.oidc.models import GrantRow, TokenRow
from authz.oidc.scopes import claims
from yinxin.store import Store


class Access:
    """Access and refresh tokens after they were given out."""

    def __init__(self, store: Store, grants: Grants, issuer: str) -> None:
        self._store = store
        self._grants = grants
        self._issuer = issuer

    def userinfo(self, token: str) -> dict[str, Any]:
        """What the token lets its client know of the person; raises InvalidToken."""
        with self._store.read() as session:
            found = self._grants.of_token(session, token, "access")
            if found is None or not self._good(found[0]):
                raise InvalidToken
            try:
                grant, holder = self._grants.live(session, found[1])
            except InvalidGrant as error:
                raise InvalidToken from error
            return {"sub": grant.person, **claims(found[0].scope, holder)}

    def introspect(self, client: Client, token: str) -> dict[str, Any]:
        """What the token is worth, for its own client or for a service that takes tokens; inactive for others."""
        with self._store.read() as session:
            found = self._grants.of_token(session, token, "access") or self._grants.of_token(
                session, token, "refresh"
            )
            if found is None or not self._good(found[0]):
                return {"active": False}
            row, grant = found
            if grant.client != client.id and not client.registration.introspects:
                return {"active": False}
            try:
                self._grants.live(session, grant)
            except InvalidGrant:
                return {"active": False}
            return {
                "active": True,
                "iss": self._issuer,
                "sub": grant.person,
                "client_id": grant.client,
                "scope": row.scope,
                "token_type": "Bearer" if row.kind == "access" else "refresh_token",
                "iat": int(row.created.timestamp()),
                "exp": int(row.expires.timestamp()),
                "sid": grant.session,
            }

    def revoke(self, client: Client, token: str) -> None:
        """Take back a token of the client's own: an access token itself, with a refresh token the whole grant.

        A token that is nobody's, or another client's, is no error (RFC 7009 2.2): the caller learns nothing of it.
        """
        with self._store.read() as session:
            refresh = self._grants.of_token(session, token, "refresh")
            access = self._grants.of_token(session, token, "access")
            session.expunge_all()
        if refresh is not None and refresh[1].client == client.id:
            self._grants.end(refresh[1], "revoked-by-client")
        elif access is not None and access[1].client == client.id:
            self._take_back(*access)

    def _take_back(self, row: TokenRow, grant: GrantRow) -> None:
        with self._store.act(actor_of(grant), "authz.revoke-token", f"sign-on:{grant.id}") as act:
            back = sa.update(TokenRow).where(TokenRow.hash == row.hash, TokenRow.revoked.is_(None))
            act.session.execute(back.values(revoked=self._store.clock.now()))

    def _good(self, row: TokenRow) -> bool:
        return row.revoked is None and row.used is None and row.expires > self._store.clock.now()


def bearer_of(authorization: str, form: Mapping[str, str]) -> str:
    """The token of a userinfo request: in the header, or in the form, never in both (RFC 6750 section 2)."""
    scheme, _, token = authorization.partition(" ")
    in_header = token.strip() if scheme.lower() == "bearer" else ""
    in_form = form.get("access_token", "")
    if bool(in_header) == bool(in_form):
        raise InvalidToken
    return in_header or in_form
