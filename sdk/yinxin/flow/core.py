"""A person at work: what every act on a record needs, and what is asked of the core, always as that person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from yinxin.act import Actor
from yinxin.authz import Resource
from yinxin.calendar import Calendar
from yinxin.condition import Condition
from yinxin.crypto.certificates import Certificate
from yinxin.store import Store
from yinxin.web.caller import Caller


@dataclass(frozen=True, slots=True)
class Delegated:
    """A delegation as its delegator signed it: the statement, and the detached CMS signature (DER)."""

    id: str
    statement: bytes
    signature: bytes


class Core(Protocol):
    """The core, asked as one signed-in person (`yinxin.flow.remote.RemoteCore`)."""

    def require(self, action: str, resource: Resource) -> Mapping[str, Any]:
        """The decision's record; raises NotPermitted with the reason."""
        ...

    def visible(self, action: str) -> Condition:
        """The records that it is permitted for, now: for what a list shows."""
        ...

    def calendar(self) -> Calendar:
        """The working-day calendar in force."""
        ...

    def query_timestamp(self, request: bytes, suite: str) -> bytes:
        """Our timestamp authority's answer (RFC 3161 TimeStampResp, DER) to a request (DER)."""
        ...

    def ocsp(self, certificate: Certificate) -> bytes:
        """A fresh OCSP response (DER) for `certificate`."""
        ...

    def attributes(self, certificate: Certificate, actor: Actor) -> bytes:
        """The attribute certificate in force of the certificate's holder, who asks, in her post, meant for everybody, with what it is judged by (PEM); empty where there is none."""
        ...

    def issuer(self, certificate: Certificate) -> Certificate:
        """The authority that issued `certificate`."""
        ...

    def delegation(self) -> Delegated | None:
        """The signed delegation that the person acts by in her post; None when she holds it herself."""
        ...


C_co = TypeVar("C_co", bound=Core, covariant=True)


@dataclass(frozen=True)
class Desk(Generic[C_co]):
    """The store, the core as seen by this person, and the person."""

    store: Store
    core: C_co
    caller: Caller
