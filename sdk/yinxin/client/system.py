"""A registered system that calls in its own name, with tokens of the client credentials grant (RFC 6749 4.4)."""

from dataclasses import dataclass, field
from datetime import timedelta

from yinxin.clock import Clock
from yinxin.crypto.jose import compact, encode_object, sign
from yinxin.crypto.keys import Signer
from yinxin.randomness import Randomness, identifier

#: where tokens are given out
TOKENS = "/oidc/token"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: how long a signed assertion is good: for one request
_GOOD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class System:
    """Who the system is, and how it proves that: by its `secret`, by its own `key` (RFC 7523), or by neither.

        Client(url, system=System("hrss-records"), transport=https(trust=pem, identity=own))

    With neither it is the certificate of the connection that proves it (`tls_client_auth`), and its tokens are good on
    connections of that certificate alone (RFC 8705). `scope` is what the tokens are for.
    """

    id: str
    secret: str | None = field(default=None, repr=False)
    key: Signer | None = field(default=None, repr=False)
    scope: str = "kms.use"

    def form(self, origin: str, clock: Clock, randomness: Randomness) -> dict[str, str]:
        """The request for a token, of the platform at `origin`; a secret goes into the header instead."""
        form = {"grant_type": "client_credentials", "scope": self.scope}
        if self.secret is not None:
            return form
        if self.key is None:
            return form | {"client_id": self.id}
        now = clock.now()
        claims = {
            "iss": self.id,
            "sub": self.id,
            "aud": origin + TOKENS,
            "jti": identifier(clock, randomness),
            "iat": int(now.timestamp()),
            "exp": int((now + _GOOD).timestamp()),
        }
        assertion = compact(sign(self.key, {"typ": "JWT"}, encode_object(claims)))
        return form | {"client_assertion_type": _ASSERTION, "client_assertion": assertion}
