"""ID tokens: who signed in, how and when, for one client (OpenID Connect Core 2); and logout tokens."""

from typing import Any

from authz.directory import Standing
from authz.oidc.keys import SigningKeys
from authz.oidc.models import GrantRow
from authz.oidc.scopes import ACR, AMR, claims
from yinxin.crypto.jose import encode64
from yinxin.crypto.suite import SHA256
from yinxin.store import Store

#: half of the access token's SHA-256, which binds it to the ID token (OIDC Core 3.1.3.6)
_HALF = 16
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
#: seconds in which a client must take a logout token
_LOGOUT_SECONDS = 120


class IdTokens:
    """Makes them; `issuer` is our name in them."""

    def __init__(self, store: Store, keys: SigningKeys, issuer: str, seconds: int) -> None:
        self._store = store
        self.keys = keys
        self._issuer = issuer
        self._seconds = seconds

    def make(self, grant: GrantRow, holder: Standing, scope: str, access: str) -> str:
        """The ID token that goes with an access token."""
        now = int(self._store.clock.now().timestamp())
        told: dict[str, Any] = {
            "iss": self._issuer,
            "sub": grant.person,
            "aud": grant.client,
            "iat": now,
            "exp": min(now + self._seconds, int(grant.expires.timestamp())),
            "auth_time": int(grant.proved.timestamp()),
            "acr": ACR[grant.way],
            "amr": list(AMR[grant.way]),
            "sid": grant.session,
            "at_hash": encode64(SHA256.digest(access.encode("ascii"))[:_HALF]),
            **claims(scope, holder),
        }
        return self.keys.sign(told | ({"nonce": grant.nonce} if grant.nonce is not None else {}))

    def logout(self, client: str, person: str, session: str) -> str:
        """The token that tells a client of the end of a session (OIDC Back-Channel Logout 2.4)."""
        now = int(self._store.clock.now().timestamp())
        told = {
            "iss": self._issuer,
            "sub": person,
            "aud": client,
            "iat": now,
            "exp": now + _LOGOUT_SECONDS,
            "jti": self._store.identifier(),
            "sid": session,
            "events": {_LOGOUT: {}},
        }
        return self.keys.sign(told, "logout+jwt")
