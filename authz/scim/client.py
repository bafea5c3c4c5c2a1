"""Who asks: a registered client with a token, acting for its organ."""

from dataclasses import dataclass

from authz.oidc.clients import Client
from authz.oidc.machine import actor_of
from authz.scim.errors import ScopeNeeded
from yinxin.act import Actor

READ, WRITE, CLEARANCE = "scim.read", "scim.write", "scim.clearance"


@dataclass(frozen=True, slots=True)
class ScimClient:
    """A client and what its token was given for."""

    id: str
    organ: str
    scopes: frozenset[str]

    @classmethod
    def of(cls, client: Client, scope: str) -> "ScimClient":
        """The client with a token of this scope."""
        return cls(client.id, client.registration.organ, frozenset(scope.split()))

    @property
    def actor(self) -> Actor:
        """The client as decisions and the log know it."""
        return actor_of(self.id, self.organ, via="scim")

    def need(self, scope: str) -> None:
        """Raise ScopeNeeded for a token that was given for less."""
        if scope not in self.scopes:
            raise ScopeNeeded(scope=scope)
