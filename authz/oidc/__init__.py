"""One sign-on for other systems: an OpenID Connect provider on our sessions."""

from authz.oidc.clients import Client, Clients, Registration
from authz.oidc.keys import TokenKeys
from authz.oidc.provider import Provider
from authz.oidc.settings import OidcSettings

__all__ = ["Client", "Clients", "OidcSettings", "Provider", "Registration", "TokenKeys"]
