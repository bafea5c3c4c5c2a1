"""Who is calling, once they have proved it; nothing here needs the web framework."""

from dataclasses import dataclass
from typing import Protocol

from yinxin.act import Actor
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person or service: the actor for the log, the roles, and the words pages greet them with.

    `session` identifies the session and is safe to log; it is never the bearer token itself.
    """

    actor: Actor
    session: str
    roles: frozenset[str]
    name: str
    post_name: Text
    organ_name: Text


class Authenticator(Protocol):
    """Knows who holds a token."""

    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        """The holder of `token`; raises a NotAuthenticated leaf when the session is unknown, ended or revoked.

        `peer` is the certificate (DER) of the connection, if it has one: a session is of the certificate that opened it.
        """
        ...
