"""Texts of official documents on the wire as an editor has them: blocks, the pages they print as, and their versions compared."""

from typing import Literal

from pydantic import AwareDatetime, Field

from yinxin.authz import Level
from yinxin.wire import Model, Reply, Words

#: characters of one block, and of one cell
_LONGEST, _CELL = 20_000, 2_000

BlockKind = Literal["p", "h1", "h2", "h3", "h4", "table", "annex"]


class BlockIn(Model):
    """A block: a paragraph, a heading of one of four levels, a table, or the title of an attachment (附件)."""

    kind: BlockKind = "p"
    """`h1` to `h4` are 一、 （一） 1. （1）; what follows an `annex` is that attachment's text."""
    text: str = Field(default="", max_length=_LONGEST)
    """A heading stands without its number, which it is given; one that begins with a number of its own keeps it. What
    follows the heading's first full stop runs on as body text."""
    rows: tuple[tuple[str, ...], ...] = Field(default=(), max_length=500)
    """The rows of a table, the first one its head."""


class TextIn(Model):
    """The text of a document. Organ, recipients, number, date and seal are none of it."""

    title: str = Field(default="", max_length=400)
    blocks: tuple[BlockIn, ...] = Field(default=(), max_length=2000)
    notes: str = Field(default="", max_length=2000)
    """附注, without its brackets."""


class PreviewIn(Model):
    """A text, and of the document what shows on its pages."""

    text: TextIn
    kind: str = "NOTICE"
    """One of the fifteen kinds, by code."""
    recipients: tuple[str, ...] = Field(default=(), max_length=500)
    """Main recipients, as organ identifiers."""
    copied_to: tuple[str, ...] = Field(default=(), max_length=500)
    urgency: Literal["特急", "加急"] | None = None
    level: Level = "internal"
    skips: str | None = Field(default=None, max_length=2000)
    known: tuple[str, ...] | None = Field(default=None, max_length=50_000)
    """The outlines of characters that the reader has already. Left out, each page stands by itself."""


class ManuscriptPreviewIn(Model):
    """The text of a manuscript as it is now; what else shows on its pages is known of it."""

    text: TextIn
    known: tuple[str, ...] | None = Field(default=None, max_length=50_000)
    """As in `PreviewIn`."""


class RemarkOut(Reply):
    """Something to be said of the text, at the place that it is about."""

    at: str
    """`title`, `notes`, `recipients`, `blocks/3`, `blocks/3/rows/0/1`; empty for the whole."""
    start: int
    """The index of the character that it is about."""
    code: str
    text: Words
    grave: bool
    """Whether it keeps the document from being saved."""


class PlaceOut(Reply):
    """Where a place of the pages was written: the block, and what to add to an index of its characters."""

    block: int
    shift: int


class PreviewOut(Reply):
    """The pages as they will print, and what is to be said of them."""

    pages: list[str]
    """SVG, one for each page, in points; every line says where it comes from (`data-at`, `data-start`)."""
    outlines: dict[str, str]
    """The outlines of the characters that the pages use, by name, but for those known."""
    labels: list[str]
    """For each block the number that it was given."""
    places: dict[str, PlaceOut]
    """For the places that lines of the pages name (`data-at`), where they were written."""
    remarks: list[RemarkOut]


class KeepIn(Model):
    """The text of a manuscript as it is now, and the turn that it was made from."""

    turn: int = Field(ge=0)
    text: TextIn


class KeptOut(Reply):
    """A manuscript's text is kept."""

    turn: int
    at: AwareDatetime


class ManuscriptOut(Reply):
    """A text that is being written: kept as it is typed, and no version of any document until it is saved."""

    id: str
    document: str | None
    """The draft that it changes; empty for one that is to be drafted."""
    base: int
    """The version that it was made from; 0 without one."""
    turn: int
    """Counts its changes."""
    text: TextIn
    updated_at: AwareDatetime


class VersionOut(Reply):
    """A version of a document's text."""

    revision: int
    filename: str
    sha256: str
    verb: str
    """The act that made it."""
    person: str
    at: AwareDatetime


class VersionsOut(Reply):
    """The versions, the first one first."""

    items: list[VersionOut]


class ComparisonQuery(Model):
    """Which versions: by default the last two."""

    before: int | None = Field(default=None, ge=1)
    after: int | None = Field(default=None, ge=1)


class StretchOut(Reply):
    """A stretch of text that stands in both, or in one of them."""

    text: str
    change: Literal["same", "removed", "added"]


class LineOut(Reply):
    """A paragraph, heading or row of a table in both versions."""

    what: str
    """`title`, `p`, `h1` to `h4`, `row`, `annex`, `notes`, `recipients`, `copied_to`, `urgency`, `secrecy`, `file`."""
    change: Literal["same", "removed", "added", "changed"]
    stretches: list[StretchOut]


class ComparisonOut(Reply):
    """Two versions of a text, compared by paragraph, sentence and character."""

    before: int
    after: int
    lines: list[LineOut]


class TemplateIn(Model):
    """A template of an organ: a name, the kind it is for, its text with what is to be filled in (【…】), phrases to put in."""

    name: str = Field(min_length=1, max_length=120)
    kind: Literal[
        "RESOLUTION",
        "DECISION",
        "ORDER",
        "COMMUNIQUE",
        "PROCLAMATION",
        "PUBLIC_NOTICE",
        "OPINION",
        "NOTICE",
        "CIRCULAR",
        "REPORT",
        "REQUEST",
        "REPLY",
        "MOTION",
        "LETTER",
        "MINUTES",
    ]
    text: TextIn
    phrases: tuple[str, ...] = Field(default=(), max_length=50)


class TemplatesQuery(Model):
    """Which templates."""

    retired: bool = False
    """Those that are no longer offered as well."""


class TemplateOut(Reply):
    """A template."""

    id: str
    name: str
    kind: str
    state: Literal["in-use", "retired"]
    revision: int
    updated_at: AwareDatetime


class TemplatesOut(Reply):
    """The templates of the reader's organ."""

    items: list[TemplateOut]


class TemplateVersionOut(Reply):
    """A version of a template."""

    revision: int
    name: str
    kind: str
    text: TextIn
    phrases: list[str]
    person: str
    at: AwareDatetime


class TemplateVersionsOut(Reply):
    """Its versions, the first one first."""

    items: list[TemplateVersionOut]
