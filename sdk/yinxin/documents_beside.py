"""What stands beside a document on the wire: whom it may go to at other sites, who issues it jointly or is consulted, opinions on it, and the numbered copies of a classified one."""

from typing import Literal

from pydantic import AwareDatetime, Field

from yinxin.authz import Level
from yinxin.wire import Model, Reply, Words

Countersigning = Literal["document.countersign", "document.concur"]

#: organs that issue a document beside the drafter's, and that countersign it
MOST_JOINT, MOST_CONSULTED = 15, 50


class CountersignersIn(Model):
    """Who issues a draft jointly, and who countersigns it without issuing it; in the place of those named before."""

    joint: tuple[str, ...] = Field(default=(), max_length=MOST_JOINT)
    consulted: tuple[str, ...] = Field(default=(), max_length=MOST_CONSULTED)


class CountersignerOut(Reply):
    """An organ that countersigns a document, as it stands with the text of now."""

    organ: str
    part: Literal["joint", "consulted"]
    """Whether it issues the document too, and seals it."""
    state: Literal["not-asked", "asked", "signed", "void", "sealed"]
    """`void`: it signed another text than the document has now, and is to sign again."""
    signer: str | None
    signed_at: AwareDatetime | None
    sealed_at: AwareDatetime | None
    urged: int
    due: AwareDatetime | None
    """When its time is over, while it is to sign."""


class PrintIn(Model):
    """For whom a classified document is printed; shown on every page where it is given."""

    reader: str = Field(default="", max_length=100)


class NumberedOut(Reply):
    """A copy of a classified document by its number (份号)."""

    number: int
    mark: str
    """What stands on it: the number as six digits; where another site issued the document, that of the copy it is made of and the number here behind it."""
    organ: str
    """Who holds it."""
    medium: Literal["file", "paper"]
    state: Literal["held", "returned", "destroying", "destroyed"]
    reader: str | None
    person: str
    """Who sent or printed it."""
    at: AwareDatetime
    reason: str | None
    ended_at: AwareDatetime | None
    ended_by: str | None
    witness: str | None


class RecipientOut(Reply):
    """An organ of another site that a document may be addressed to."""

    organ: str
    name: Words
    site: str
    site_name: Words
    relation: Literal["parent", "child", "neighbour"]
    """What its site is to this one."""
    clearance: Level
    """The highest level that may be sent there."""
    cleared: bool = True
    """Whether what is graded as was asked for may go there."""
    reason: Words | None = None
    """Why not."""


class BarredOut(Reply):
    """A recipient at another site to which a document cannot go as it is graded now, or should not have stayed."""

    organ: str
    reason: Words


class OpinionIn(Model):
    """An opinion, as an answer to another or in the place of one's own."""

    text: str = Field(min_length=1, max_length=4000)
    parent: str | None = Field(default=None, max_length=40)
    corrects: str | None = Field(default=None, max_length=40)


class OpinionOut(Reply):
    """An opinion of the reader's organ, in its thread."""

    id: str
    depth: int
    person: str
    post: str | None
    text: str
    at: AwareDatetime
    before: list[str]
    """What it said before it was corrected, the first wording first."""
    entry: str


class OpinionsOut(Reply):
    """The opinions on a document, each after the one that it answers."""

    items: list[OpinionOut]
