"""What is put on the pages of an OFD: lengths in millimetres from the sheet's top left corner, as GB/T 33190-2016, 8.5, has them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

Color = tuple[int, int, int]
BLACK: Color = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Font:
    """A typeface that travels in the package: `data` is an OpenType file that holds every character set in it."""

    name: str
    data: bytes = field(repr=False)
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Characters of one font on one baseline.

    `advances` has one entry a character: from its origin to the next one's. `size` is the em, `stretch` scales the height alone.
    """

    font: Font
    text: str
    x: float
    baseline: float
    size: float
    advances: Sequence[float]
    color: Color = BLACK
    stretch: float = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    color: Color = BLACK


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG that fills a rectangle."""

    x: float
    y: float
    width: float
    height: float
    png: bytes = field(repr=False)


Mark = Glyphs | Bar | Picture


@dataclass(frozen=True, slots=True)
class Page:
    """The marks of a page, in the order in which they are painted and read."""

    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be written: every page has the sheet's size."""

    title: str
    author: str
    date: dt.date
    pages: Sequence[Page]
    width: float = 210.0
    height: float = 297.0


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the package carries beside its pages (chapter 20); `name` is a bare file name in ASCII."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a seal's picture goes: the page from 1, and a rectangle."""

    page: int
    x: float
    y: float
    width: float
    height: float
