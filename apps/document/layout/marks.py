"""What can be put on a page: text at a place, a rule, and a picture. Lengths in points from the sheet's top left corner."""

from dataclasses import dataclass, field

from apps.document.layout.grid import BLACK, LEFT, SIZE, SPACING, row_top
from apps.document.layout.lines import Line, Span
from apps.document.layout.model import SealBox

BASELINE = 0.88
"""Of the em square, from its top."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text on one baseline. `top` is the upper edge of its characters' em squares; `stretch` scales its height.

    `source` and `start`: where in the content its characters come from, as `Line` has it.
    """

    spans: tuple[Span, ...]
    left: float
    top: float
    size: float = SIZE
    spacing: float = SPACING
    color: str = BLACK
    stretch: float = 1.0
    source: str = ""
    start: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A filled bar."""

    left: float
    top: float
    width: float
    height: float
    color: str = BLACK


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG with a transparent ground that fills a rectangle."""

    left: float
    top: float
    width: float
    height: float
    png: bytes = field(repr=False)


@dataclass(slots=True)
class Page:
    """A page in the making."""

    marks: list[Text | Rule | Picture] = field(default_factory=list)
    numbered: bool = True

    def add(self, *marks: Text | Rule | Picture) -> None:
        """Put marks on the page."""
        self.marks.extend(marks)


@dataclass(frozen=True, slots=True)
class Placed:
    """All pages with every mark at its place, and the places kept for seals, the main organ's first."""

    pages: tuple[Page, ...]
    seals: tuple[SealBox, ...]


def on_row(line: Line, row: float) -> Text:
    """A line in the middle of a grid row (counted from 0): a 3号 line fills the row's characters exactly."""
    top = row_top(row) + (SIZE - line.size) / 2
    return Text(
        line.spans,
        LEFT + line.left,
        top,
        line.size,
        line.spacing,
        line.color,
        source=line.source,
        start=line.start,
    )
