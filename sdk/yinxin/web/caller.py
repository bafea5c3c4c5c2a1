"""Who is calling, once they have proved it; nothing here needs the web framework."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from yinxin.act import Actor
from yinxin.premise import Premise
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person or service: the actor for the log, the roles, and the words pages greet them with.

    `session` identifies the session and is safe to log; it is never the bearer token itself. `way` is how it was
    opened (`signature`, `tls`, `passkey`), `proved` when a key was last proved in it, None where nobody keeps that.
    `scopes` are what a system's token is for: it is let in where an operation asks for one of them. None: a person.
    """

    actor: Actor
    session: str
    roles: frozenset[str]
    name: str
    post_name: Text
    organ_name: Text
    way: str = ""
    proved: datetime | None = None
    scopes: frozenset[str] | None = None
    #: the tenant whose pages these are: the organ that runs its own affairs inside the installation; None is the host's
    tenant: str | None = None


@dataclass(eq=False)
class Known:
    """A caller, and what it rests on that it is she; `kept` holds what was judged about her and goes with her."""

    caller: Caller
    premises: tuple[Premise, ...]
    kept: dict[Hashable, Any] = field(default_factory=dict)


@runtime_checkable
class Knowing(Protocol):
    """An authenticator that says what its answer rests on."""

    def known(self, token: str, peer: bytes | None = None) -> Known:
        """As `Authenticator.authenticate`, unrecorded: whoever is refused here is refused there, and that is recorded."""
        ...


class Authenticator(Protocol):
    """Knows who holds a token."""

    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        """The holder of `token`; raises a NotAuthenticated leaf when the session is unknown, ended or revoked.

        `peer` is the certificate (DER) of the connection, if it has one: a session is of the certificate that opened it.
        """
        ...


Named = Literal["person", "post", "organ", "client"]


class Names(Protocol):
    """Knows what people, posts, organs and registered systems are called; pages write them instead of identifiers."""

    def name(self, kind: Named, id: str) -> Text | None:  # noqa: A002 - the field's name
        """The name, or None when there is no such identifier any more."""
        ...

    def mark(self, tenant: str) -> str:
        """The colour of a tenant's pages, the end of a class of the kit's style (`masthead-jade`); empty for the house's own."""
        ...


class NoNames:
    """Knows none: identifiers stay identifiers."""

    def name(self, kind: Named, id: str) -> Text | None:  # noqa: A002, ARG002 - the protocol's signature
        """None."""
        return None

    def mark(self, tenant: str) -> str:  # noqa: ARG002 - the protocol's signature
        """The house's own."""
        return ""
