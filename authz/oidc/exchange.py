"""The token endpoint: a code, a refresh token or a device's code becomes tokens, once.

What is shown twice, or to the wrong client, or with the wrong verifier, was stolen by one of the two who showed it: the
whole grant ends (RFC 6749 4.1.2, RFC 9700 2.2.2 and 4.14.2).
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from authz.challenges import token_hash
from authz.oidc.authorize import scope_of
from authz.oidc.clients import Client
from authz.oidc.device import Devices
from authz.oidc.errors import InvalidGrant, InvalidRequest, InvalidScope, UnauthorizedClient, UnsupportedGrant
from authz.oidc.granted import Grants, Tokens, actor_of, in_organ
from authz.oidc.id_token import IdTokens
from authz.oidc.models import CodeRow, GrantRow, TokenRow
from authz.oidc.service_tokens import ServiceTokens
from yinxin.crypto.jose import encode64
from yinxin.crypto.suite import SHA256
from yinxin.store import Act, Store

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class Exchange:
    """What clients get for what they show."""

    def __init__(
        self,
        store: Store,
        grants: Grants,
        devices: Devices,
        id_tokens: IdTokens,
        service_tokens: ServiceTokens,
    ) -> None:
        self._store = store
        self._grants = grants
        self._devices = devices
        self._id_tokens = id_tokens
        self._ways: Mapping[str, tuple[str, Callable[[Client, Mapping[str, str]], dict[str, Any]]]] = {
            "authorization_code": ("authorization_code", self._code),
            "refresh_token": ("refresh_token", self._refresh),
            DEVICE: ("device_code", self._device),
            "client_credentials": ("client_credentials", service_tokens.give),
        }

    def tokens(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        """The token response; raises a leaf of Protocol, recorded by the caller."""
        asked = form.get("grant_type", "")
        if asked not in self._ways:
            raise UnsupportedGrant(grant=asked[:60] or "-")
        name, way = self._ways[asked]
        if name not in client.registration.grants:
            raise UnauthorizedClient(client=client.id, grant=name)
        return way(client, form)

    def _code(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        hashed = token_hash(_needed(form, "code"))
        verifier, redirect_uri = _needed(form, "code_verifier"), _needed(form, "redirect_uri")
        with self._store.read() as session:
            row = session.get(CodeRow, hashed)
            if row is None:
                raise InvalidGrant
            grant = session.get_one(GrantRow, row.grant)
            wrong = self._why_not(row, grant, client, verifier, redirect_uri)
            session.expunge_all()
        if wrong:
            self._grants.end(grant, wrong)
            raise InvalidGrant
        once = sa.update(CodeRow).where(CodeRow.hash == hashed, CodeRow.used.is_(None))
        return self._give(client, grant, once, CodeRow.hash)

    def _why_not(
        self, row: CodeRow, grant: GrantRow, client: Client, verifier: str, redirect_uri: str
    ) -> str | None:
        """Why a code is worth nothing to whoever shows it, in one word for the record."""
        challenge = encode64(SHA256.digest(verifier.encode()))
        if row.used is not None:
            return "code-replayed"
        if grant.client != client.id:
            return "code-of-another-client"
        if row.expires <= self._store.clock.now():
            return "code-expired"
        if row.redirect_uri != redirect_uri:
            return "redirect-differs"
        if not hmac.compare_digest(challenge, row.challenge):
            return "verifier-differs"
        return None

    def _refresh(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        token = _needed(form, "refresh_token")
        with self._store.read() as session:
            found = self._grants.of_token(session, token, "refresh")
            if found is None:
                raise InvalidGrant
            row, grant = found
            session.expunge_all()
        if grant.client != client.id or row.used is not None:
            reused = "refresh-reused" if row.used is not None else "refresh-of-another-client"
            self._grants.end(grant, reused)
            raise InvalidGrant
        if row.revoked is not None or row.expires <= self._store.clock.now():
            raise InvalidGrant
        scope = scope_of(form["scope"], client) if "scope" in form else grant.scope
        if not set(scope.split()) <= set(grant.scope.split()):
            raise InvalidScope(client=client.id, scope=scope)
        once = sa.update(TokenRow).where(TokenRow.hash == row.hash, TokenRow.used.is_(None))
        return self._give(client, grant, once, TokenRow.hash, scope)

    def _device(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        grant, once, hashed = self._devices.poll(client, _needed(form, "device_code"))
        return self._give(client, grant, once, hashed)

    def _give(
        self, client: Client, grant: GrantRow, once: sa.Update, key: Any, scope: str | None = None
    ) -> dict[str, Any]:
        """Use up what was shown and give tokens, in one recorded transaction; raises InvalidGrant.

        Of two who show the same at once, the database lets one through; the other ends the grant.
        """
        late = False
        self._id_tokens.keys.ready()
        try:
            with self._store.act(actor_of(grant), "authz.issue-token", f"sign-on:{grant.id}") as act:
                used = act.session.scalar(once.values(used=self._store.clock.now()).returning(key))
                late = used is None
                return self._given(act, client, grant, scope or grant.scope, late=late)
        except InvalidGrant:
            if late:
                self._grants.end(grant, "shown-twice-at-once")
            raise

    def _given(self, act: Act, client: Client, grant: GrantRow, scope: str, *, late: bool) -> dict[str, Any]:
        if late:
            raise InvalidGrant
        current = act.session.get(GrantRow, grant.id, with_for_update=True)
        live, holder = self._grants.live(act.session, current)
        act.actor = in_organ(act.actor, holder.organ.id)
        again = "refresh_token" in client.registration.grants and "offline_access" in grant.scope.split()
        tokens = self._grants.give_tokens(act, live, scope, refresh=again)
        return _response(tokens, self._id_tokens.make(live, holder, scope, tokens.access))


def _response(tokens: Tokens, id_token: str) -> dict[str, Any]:
    answer = {
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": tokens.seconds,
        "scope": tokens.scope,
        "id_token": id_token,
    }
    return answer | ({"refresh_token": tokens.refresh} if tokens.refresh else {})


def _needed(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value or len(value) > 1000:
        raise InvalidRequest(parameter=name)
    return value
