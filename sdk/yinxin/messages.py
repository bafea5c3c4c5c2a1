"""The exchange between sites on the wire: what its API takes and gives, shared by the server and the client."""

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from yinxin.authz import Level
from yinxin.wire import Model, Reply, Words

Direction = Literal["out", "in"]
Relation = Literal["parent", "child", "neighbour"]
Carrier = Literal["push", "pull", "nats", "medium"]
State = Literal["waiting", "received", "refused", "early", "delivered", "undeliverable"]


class PeerOut(Reply):
    """A site that is exchanged with, and how exchange with it stands."""

    site: str
    name: Words
    relation: Relation
    carrier: Carrier
    clearance: Level
    """The highest level that may leave for it."""
    url: str
    source: str
    """The proposal that admitted it, or `directory:VERSION`."""
    since: AwareDatetime
    """When it was admitted, or its card on record came."""
    stopped: AwareDatetime | None
    version: int
    """Of its card."""
    digest: str
    """SHA-256 of its card, hexadecimal: what is compared by another way."""
    claimed: list[str]
    """Organs that its card names and that nobody decided on: they are not reached there."""
    sent: int
    """Number of the last message to it."""
    sent_head: str
    """Digest of that message's header: the head of the chain."""
    received: int
    received_head: str
    waiting: int
    """Messages to it without a receipt."""
    oldest: AwareDatetime | None
    """Since when the oldest of them waits."""
    refused: int
    """Messages that it refused."""
    early: int
    """Messages from it that wait for those before them."""
    undelivered: int
    undeliverable: int
    rejected: int
    """Messages from it that this site refused."""
    failures: int
    """How often calling it failed in a row."""
    error: str | None
    """Code of the last failure."""
    called: AwareDatetime | None
    """When calling it last went well."""
    heard: AwareDatetime | None
    """When something signed by it last came in."""
    reconciled: AwareDatetime | None
    difference: str | None
    """What differed when it was last reconciled with: a code; none when nothing did."""


class PeerOrganOut(Reply):
    """An organ on a peer's card; `reached`: messages for it go there."""

    id: str
    name: Words
    clearance: Level
    reached: bool


class PeerOrgansOut(Reply):
    """The organs on a peer's card."""

    items: list[PeerOrganOut]


class MessageOut(Reply):
    """A message of the log: what its header says, and where it stands. What it says itself is sealed."""

    id: str
    """Its sender's identifier: with peer and direction it names one message."""
    direction: Direction
    peer: str
    seq: int
    sender: str
    recipient: str
    kind: str
    object: str
    grade: Level
    state: State
    error: str | None
    """Why it was refused or cannot be delivered: an error's code."""
    at: AwareDatetime
    """When it was made or came."""
    settled: AwareDatetime | None
    """When it was receipted, delivered or refused."""
    digest: str
    """Of its header, hexadecimal."""


class StepOut(Reply):
    """One moment of a message's life."""

    moment: Literal[
        "made", "signed", "came", "receipted", "refused", "recorded", "delivered", "undeliverable"
    ]
    words: Words
    at: AwareDatetime
    """By the word of the site whose act it was."""
    site: str
    stamped: AwareDatetime | None
    """The instant that its timestamp proves."""
    error: str | None


class SpanOut(Reply):
    """Numbers that went together."""

    first: int
    upto: int


class LifeOut(MessageOut):
    """A message with its life."""

    steps: list[StepOut]
    run: SpanOut | None
    """The messages under the same signature."""
    receipt: SpanOut | None
    """The messages under the same receipt."""
    parts: int
    """How many sealed parts it has."""
    size: int
    """Their octets."""


class ReachOut(Reply):
    """How far a direction has come: the last number, its header's digest, the last number with a receipt."""

    seq: int
    head: str
    receipted: int


class ReconciliationOut(Reply):
    """What a peer said, signed, of its counts and chain heads, and what differed from what is here."""

    id: str
    peer: str
    at: AwareDatetime
    sent: ReachOut
    """What the peer had sent."""
    received: ReachOut
    """What the peer had received."""
    difference: str | None
    words: Words | None
    """The difference in words."""


class CarriedOut(Reply):
    """What a carried file held: messages, runs that wait for others, messages of ours that its receipts settled, what differs."""

    messages: int
    early: int
    settled: int
    difference: str | None


class OutgoingIn(Model):
    """A message of a system's own, for an organ of another site."""

    reference: str = Field(min_length=1, max_length=120)
    """Its sender's own name for it: the same one sends it once."""
    sender: str = Field(min_length=1, max_length=64)
    """The organ of this site that sends it."""
    recipient: str = Field(min_length=1, max_length=64)
    """The organ of another site that it is for."""
    kind: str = Field(pattern=r"^[a-z][a-z0-9]*([.-][a-z0-9]+)*$", max_length=40)
    """Which messages these are, as both systems call them, such as pensions.transfer."""
    object: str = Field(min_length=1, max_length=200)
    """What it is about, as logs name it; it travels in the clear."""
    grade: Level
    content: dict[str, Any] = Field(default_factory=dict)
    """What it says, JSON; nobody but the receiving organ's site opens it."""


class SentOut(Reply):
    """A message in the outbox, and what became of it."""

    id: str
    peer: str
    """The site that it goes to."""
    seq: int
    state: State
    error: str | None = None
    """Why it was refused: the error's code."""
    settled: AwareDatetime | None = None
    """When its signed receipt was taken."""


class IncomingOut(Reply):
    """A message that came, as it is in the clear."""

    id: str
    peer: str
    """The site that sent it."""
    seq: int
    sender: str
    recipient: str
    kind: str
    object: str
    grade: Level
    at: AwareDatetime
    """When it came."""


class IncomingFileOut(Reply):
    """A file of a message; digests are hexadecimal."""

    name: str
    media_type: str
    size: int
    sha256: str
    sm3: str


class IncomingContentOut(Reply):
    """A message that came, opened."""

    id: str
    peer: str
    sender: str
    recipient: str
    kind: str
    object: str
    grade: Level
    content: dict[str, Any]
    files: list[IncomingFileOut]


class AcknowledgementIn(Model):
    """That a system has a message, durably."""

    unusable: str = Field(default="", max_length=200)
    """Why it can do nothing with it; then it is put aside, on record, and the exchange's health says so. Empty: it has taken it."""
