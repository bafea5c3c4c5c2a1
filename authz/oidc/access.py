"""What an access token opens, whether it still does, and taking it back (OIDC Core 5.3, RFC 7662, RFC 7009)."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.oidc.clients import Client
from authz.oidc.errors import InvalidGrant, InvalidToken, TokenOfAnother
from authz.oidc.granted import Grants, actor_of
from authz.oidc.models import GrantRow, TokenRow
from authz.oidc.scopes import claims
from authz.oidc.service_tokens import ServiceTokens
from authz.refusals import Refusals
from yinxin.act import STRANGER
from yinxin.crypto.jose import encode64
from yinxin.store import Store

READ, INTROSPECT = "authz.read-userinfo", "authz.introspect-token"


class Access:
    """Access and refresh tokens after they were given out."""

    def __init__(
        self,
        store: Store,
        grants: Grants,
        refusals: Refusals,
        service_tokens: ServiceTokens,
        issuer: str,
    ) -> None:
        self._service_tokens = service_tokens
        self._store = store
        self._refusals = refusals
        self._grants = grants
        self._issuer = issuer

    def userinfo(self, token: str) -> dict[str, Any]:
        """What the token lets its client know of the person; raises InvalidToken, recorded."""
        with self._store.read() as session:
            found = self._grants.of_token(session, token, "access")
            session.expunge_all()
            told = self._told(session, *found) if found is not None else None
        if told is None:
            error = InvalidToken()
            actor, subject = (actor_of(found[1]), found[1].id) if found is not None else (STRANGER, "unknown")
            self._refusals.record(actor, READ, f"sign-on:{subject}", error)
            raise error
        return told

    def _told(self, session: Session, row: TokenRow, grant: GrantRow) -> dict[str, Any] | None:
        """What the token lets its client know; None when it is good for nothing any more."""
        try:
            _, holder = self._grants.live(session, grant)
        except InvalidGrant:
            return None
        return {"sub": grant.person, **claims(row.scope, holder)} if self._good(row) else None

    def introspect(self, client: Client, token: str) -> dict[str, Any]:
        """What the token is worth, for its own client or for a service that takes tokens; inactive for others."""
        with self._store.read() as session:
            found = self._grants.of_token(session, token, "access") or self._grants.of_token(
                session, token, "refresh"
            )
            if found is None:
                return self._of_service(client, token)
            if not self._good(found[0]):
                return {"active": False}
            row, grant = found
            session.expunge_all()
            if grant.client != client.id and not client.registration.introspects:
                self._of_another(client, INTROSPECT, grant)
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
        if refresh is None and access is None:
            self._service_tokens.revoke(client, token)
        if refresh is not None and refresh[1].client == client.id:
            self._grants.end(refresh[1], "revoked-by-client")
        elif access is not None and access[1].client == client.id:
            self._take_back(*access)
        elif (found := refresh or access) is not None:
            self._of_another(client, "authz.revoke-token", found[1])

    def _of_another(self, client: Client, verb: str, grant: GrantRow) -> None:
        """It hears nothing of it, and it is recorded."""
        error = TokenOfAnother(client=client.id)
        self._refusals.record(client.actor, verb, f"sign-on:{grant.id}", error)

    def _of_service(self, client: Client, token: str) -> dict[str, Any]:
        """What a token is worth that a client got in its own name."""
        found = self._service_tokens.of(token)
        if found is None:
            return {"active": False}
        if found.client.id != client.id and not client.registration.introspects:
            error = TokenOfAnother(client=client.id)
            self._refusals.record(client.actor, INTROSPECT, f"client:{found.client.id}", error)
            return {"active": False}
        told = {
            "active": True,
            "iss": self._issuer,
            "sub": found.client.id,
            "aud": self._service_tokens.address(found.audience),
            "client_id": found.client.id,
            "scope": found.scope,
            "token_type": "Bearer",
            "iat": int(found.created.timestamp()),
            "exp": int(found.expires.timestamp()),
        }
        if found.certificate is None:
            return told
        return told | {"cnf": {"x5t#S256": encode64(bytes.fromhex(found.certificate))}}  # RFC 8705 3.2

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
