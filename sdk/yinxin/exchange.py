"""Messages between sites as applications see them: what they send, what comes in, and what they do with it.

An application sends through the client (`client.exchange.send`), or in this process through the service. What comes in
for its kind is handed to its `Application`, in the order in which the other site sent it, each message once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from yinxin.authz import LEVELS, Level
from yinxin.crypto.certificates import Certificate
from yinxin.text import Text

if TYPE_CHECKING:
    from yinxin.store import Act


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file of a message that is to be sent: its name for the reader, its media type, and where it lies."""

    name: str
    media_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent. `reference` is its sender's own name for it: the same one sends it once.

    `sender` is an organ of this site, `recipient` one of another; `kind` names the application, `object` what the
    message is about, as the log names it; `body` is what the application says, canonical JSON.
    """

    reference: str
    sender: str
    recipient: str
    kind: str
    object: str
    grade: Level
    body: Mapping[str, Any]
    files: tuple[Enclosed, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """An organ of another site that may be written to: where, what that site is to this one, and up to which level."""

    organ: str
    name: Text
    site: str
    site_name: Text
    relation: Literal["parent", "child", "neighbour"]
    clearance: Level

    def cleared(self, level: Level) -> bool:
        """Whether what is graded so may go there."""
        return LEVELS.index(level) <= LEVELS.index(self.clearance)

    def matches(self, words: str) -> bool:
        """Whether its name or identifier, or its site's, has these words in it, in small letters."""
        names = (self.name.zh, self.name.en, self.site_name.zh, self.site_name.en, self.organ, self.site)
        return words in " ".join(names).lower()


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message that came in: digests in hexadecimal, size in octets."""

    name: str
    media_type: str
    size: int
    sha256: str
    sm3: str


class Incoming(Protocol):
    """A message that came in, opened."""

    @property
    def id(self) -> str:
        """Its sender's identifier of it."""
        ...

    @property
    def peer(self) -> str:
        """The site that sent it."""
        ...

    @property
    def sender(self) -> str:
        """The organ that sent it."""
        ...

    @property
    def recipient(self) -> str:
        """The organ of this site that it is for."""
        ...

    @property
    def kind(self) -> str:
        """The application that it is for."""
        ...

    @property
    def object(self) -> str:
        """What it is about, as the sender's log names it."""
        ...

    @property
    def grade(self) -> Level:
        """Its level of secrecy."""
        ...

    @property
    def body(self) -> Mapping[str, Any]:
        """What the other application says."""
        ...

    @property
    def files(self) -> tuple[File, ...]:
        """Its files."""
        ...

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        """The roots on the card of the site that sent it: by them it is known, and so is what it signed."""
        ...

    def read(self, number: int) -> Iterator[bytes]:
        """The content of a file, piece by piece, in the clear."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What the receiving site's signed receipt said of a message of ours; `error` is the code of a refusal."""

    id: str
    reference: str
    peer: str
    recipient: str
    object: str
    error: str | None


class Application(Protocol):
    """What takes the messages of one kind. What it raises that is not retryable makes the message undeliverable, on record."""

    def prepare(self, message: Incoming) -> object:
        """Put the message's files where they belong, before the act; may be called again for the same message."""
        ...

    def take(self, act: "Act", message: Incoming, prepared: object) -> None:
        """Take the message in, within the act that records its delivery: once."""
        ...

    def answered(self, act: "Act", answer: Answered) -> None:
        """Hear of a receipt for a message of one's own, within the act that records it: once."""
        ...


class Exchanging(Protocol):
    """The exchange as applications of the same process have it."""

    def site_of(self, organ: str) -> str | None:
        """The other site at which an organ is reached; None for ours, and for one that nobody reaches."""
        ...

    def anchors(self, organ: str) -> tuple[Certificate, ...]:
        """The roots on the card of the site at which an organ is reached; none of ours, and of one that nobody reaches."""
        ...

    def reached(self, sender: str) -> Sequence[Reached]:
        """The organs of other sites that an organ of this one may write to, by site and identifier; none unless this site exchanges for it."""
        ...

    def demand(self, sender: str, recipient: str, object_: str, grade: Level) -> None:
        """Raise what would keep a message of that level from being sent: NotOurOrgan, UnknownRecipient, TooSecret."""
        ...

    def send(self, message: Outgoing) -> str:
        """Put a message into the outbox, once for its reference; its identifier. Raises as the exchange's `send`."""
        ...

    def sent(self, sender: str, reference: str) -> bool:
        """Whether there is a message of ours under this reference."""
        ...
