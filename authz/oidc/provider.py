"""The OpenID Connect provider of one site, assembled."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from authz.checker import CertificateChecker
from authz.decide import Decisions
from authz.oidc.access import Access
from authz.oidc.authorize import Authorize
from authz.oidc.callers import Callers
from authz.oidc.client_auth import ALGORITHMS, ClientAuthentication
from authz.oidc.clients import Clients
from authz.oidc.device import Devices
from authz.oidc.exchange import DEVICE, Exchange
from authz.oidc.granted import Grants, Lifetimes
from authz.oidc.id_token import IdTokens
from authz.oidc.keys import SigningKeys, TokenKeys
from authz.oidc.logout import Logouts
from authz.oidc.scopes import ACR, CLAIMS, SCOPES, SERVICE_SCOPES
from authz.oidc.service_tokens import ServiceTokens
from authz.oidc.settings import OidcSettings
from authz.refusals import Refusals
from authz.sessions import Sessions
from yinxin.outward import Networks
from yinxin.store import Store

#: below which every address of the provider lies
ROOT = "/oidc"
_KEEP = timedelta(hours=1)
#: rows of grants that are over answer no question after this; the log keeps the acts
_KEEP_GRANTS = timedelta(days=30)


class Provider:
    """One sign-on: `authorize` lets clients in, `exchange` gives them tokens, `logouts` tells them when it is over."""

    def __init__(
        self,
        store: Store,
        settings: OidcSettings,
        *,
        sessions: Sessions,
        decisions: Decisions,
        checker: CertificateChecker,
        refusals: Refusals,
        keys: TokenKeys,
        issuer: str,
        http: Callable[[], httpx.Client],
    ) -> None:
        lifetimes = Lifetimes(
            code=timedelta(seconds=settings.code_seconds),
            access=timedelta(minutes=settings.access_minutes),
            request=timedelta(minutes=settings.request_minutes),
            device=timedelta(minutes=settings.device_minutes),
        )
        self._store = store
        self.issuer = issuer
        self.refusals = refusals
        self.keys = SigningKeys(store, keys, timedelta(days=settings.key_days))
        self.clients = Clients(store, decisions, Networks(settings.logout_networks))
        self.grants = Grants(store, sessions, lifetimes)
        self.id_tokens = IdTokens(store, self.keys, issuer, settings.access_minutes * 60)
        self.authorize = Authorize(store, self.clients, self.grants, issuer)
        self.devices = Devices(store, self.clients, self.grants, refusals)
        self.service_tokens = ServiceTokens(store, checker, lifetimes.access, issuer)
        #: who calls the API: people in their sessions, and systems in their own name
        self.callers = Callers(sessions, self.service_tokens, refusals)
        self.exchange = Exchange(store, self.grants, self.devices, self.id_tokens, self.service_tokens)
        self.access = Access(store, self.grants, refusals, self.service_tokens, issuer)
        audience = frozenset({issuer, f"{issuer}{ROOT}/token"})
        self.authentication = ClientAuthentication(store, self.clients, checker, audience)
        self.logouts = Logouts(
            store, self.clients, self.grants, self.keys, self.id_tokens, issuer=issuer, http=http
        )
        sessions.ended.append(self.logouts.sessions_ended)

    def discovery(self) -> dict[str, Any]:
        """The provider's description (OpenID Connect Discovery 3, RFC 8414)."""
        at = f"{self.issuer}{ROOT}"
        ways = ["client_secret_basic", "private_key_jwt", "tls_client_auth", "none"]
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "userinfo_endpoint": f"{at}/userinfo",
            "jwks_uri": f"{at}/jwks",
            "revocation_endpoint": f"{at}/revoke",
            "introspection_endpoint": f"{at}/introspect",
            "device_authorization_endpoint": f"{at}/device_authorization",
            "end_session_endpoint": f"{at}/logout",
            "scopes_supported": [*SCOPES, *SERVICE_SCOPES],
            "claims_supported": list(CLAIMS),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", DEVICE, "client_credentials"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ways,
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "revocation_endpoint_auth_methods_supported": ways,
            "introspection_endpoint_auth_methods_supported": ways[:-1],
            "tls_client_certificate_bound_access_tokens": True,
            "code_challenge_methods_supported": ["S256"],
            "acr_values_supported": sorted(set(ACR.values())),
            "prompt_values_supported": ["none", "login", "consent"],
            "ui_locales_supported": ["zh-CN", "en"],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
        }

    def tend(self) -> None:
        """End what is over and tell clients; a job."""
        self.logouts.end_what_is_over()
        self.logouts.tell()

    def forget(self) -> None:
        """Delete what is long over; a job."""
        now = self._store.clock.now()
        for kept in (self.authorize, self.devices, self.authentication, self.service_tokens):
            kept.forget(now - _KEEP)
        self.logouts.forget(now - timedelta(days=1))
        self.grants.forget(now - _KEEP_GRANTS)
