"""What every verb of ACME works with, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ca.acme.change import Change
from ca.acme.limits import Limits
from ca.acme.models import AccountRow
from ca.acme.nonce import Nonces
from ca.acme.settings import AcmeSettings
from ca.acme.trials import Trials
from ca.context import Context
from ca.enrolment.service import Enrolment
from yinxin.act import Actor, Kind
from yinxin.crypto.jose import Jwk
from yinxin.gather import Window


@dataclass(frozen=True)
class Parts:
    """The parts of the service."""

    ctx: Context
    enrolment: Enrolment
    nonces: Nonces
    limits: Limits
    #: where results of validation are written, those of a moment in one transaction
    results: Window[Change, Any]
    #: challenges that are being tried, and answers that wait for that
    trials: Trials

    @property
    def settings(self) -> AcmeSettings:
        """Its configuration."""
        return self.ctx.settings.acme


@dataclass(frozen=True, slots=True)
class Urls:
    """The addresses of resources, below the origin that the client reached us by."""

    origin: str

    def of(self, *path: str) -> str:
        """The address of a resource."""
        return "/".join((f"{self.origin}/acme", *path))

    def id_in(self, address: str, kind: str) -> str | None:
        """The identifier in an address of this kind; None when it is no such address of ours."""
        start, _, id_ = address.rpartition("/")
        return id_ if start == self.of(kind) and id_ else None


@dataclass(frozen=True)
class Asked:
    """A request whose signature and nonce held. `account` is None where a key speaks for itself."""

    urls: Urls
    #: the address asked, as the client signed it
    url: str
    key: Jwk
    account: AccountRow | None
    #: None is POST-as-GET (RFC 8555 6.3)
    payload: Mapping[str, Any] | None
    #: the network address it came from
    source: str

    @property
    def owner(self) -> AccountRow:
        """The account, where the route let nobody else through."""
        if self.account is None:
            raise RuntimeError("a key without an account came where an account is needed")
        return self.account


@dataclass(frozen=True)
class Answer:
    """What goes back: JSON, octets, or nothing."""

    body: Mapping[str, Any] | bytes | None = None
    status: int = 200
    media_type: str = "application/json"
    location: str | None = None
    #: (relation, address): RFC 8288
    links: tuple[tuple[str, str], ...] = ()
    retry_after: int | None = None
    #: the authorization that what is told here waits for, where its challenge is being tried
    awaits: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def actor_of(account: AccountRow) -> Actor:
    """An account as it stands in the log."""
    return Actor(Kind.SERVICE, f"acme:{account.id}", organ=account.organ, via="acme")
