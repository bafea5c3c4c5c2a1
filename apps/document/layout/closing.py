"""发文机关署名, 成文日期, 印章, 附注: the end of the body (GB/T 9704-2012, 7.3.5 to 7.3.8)."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from apps.document.layout.errors import DoesNotFit
from apps.document.layout.faces import Role, Typefaces
from apps.document.layout.grid import (
    ADVANCE,
    LEFT,
    MM,
    PITCH,
    RED,
    ROWS,
    SIZE,
    TITLE_SIZE,
    WIDTH,
    row_top,
)
from apps.document.layout.lines import Line, Measure, Span, break_lines, width_of
from apps.document.layout.marks import Picture, Text, on_row
from apps.document.layout.model import Elements, Form, NameSeal, SealBox
from apps.document.layout.rows import INDENT, Row

NOTES = "/notes"
"""Where the content has them."""
SIGNATURE = "/date"
"""What the line of the date comes from: it is never parted from the signature."""
_SEAL_DROP = 3.2 * MM  # how far authority and date lie below the seal's middle (居中下压)
_HALF_SEAL = 23.5 * MM  # of the largest seal, and a little air
_SEAL_ROWS = 4  # rows of the closing under its first one
_SEAL_BEGINS = 0.5  # of a row under the text's last row at the latest: within one line of the text
_MOST_ROWS = ROWS - 2  # some text stands on the page of the signatures
_MOST_ACROSS = 3  # seals side by side in the type area
_SIGNATURE_SIZE = TITLE_SIZE  # of the name that stands for 签名章


@dataclass(frozen=True, slots=True)
class Closing:
    """The rows after the text, never parted from each other; `seals` are the row and the middle from the left of each seal."""

    rows: tuple[Row, ...]
    seals: tuple[tuple[int, float], ...] = ()
    signature: "Signature | None" = None


@dataclass(frozen=True, slots=True)
class Signature:
    """签名章 in the middle of two rows, the first of which is `row`, `left` from the type area's edge; the title stands beside it."""

    row: int
    left: float
    seal: NameSeal
    title: Line | None

    def marks(self, row: int) -> Iterator[Text | Picture]:
        """What stands there when the closing starts on `row` (from 0) of a page."""
        middle = row_top(row + self.row + 0.5) + SIZE / 2
        width, height = self.seal.width_mm * MM, self.seal.height_mm * MM
        yield Picture(LEFT + self.left, middle - height / 2, width, height, self.seal.png)
        if self.title is not None:
            yield on_row(self.title, row + self.row + 0.5)


def chinese_date(date: dt.date) -> str:
    """成文日期: Arabic digits, full year, no leading zeros (7.3.5.4)."""
    return f"{date.year}年{date.month}月{date.day}日"


def closing(faces: Typefaces, elements: Elements, form: Form) -> Closing:
    """Authority, date and notes, laid for a seal, for several of them, for a signature or without one."""
    if form is Form.ORDER:
        return _signed(faces, elements)
    organs = [Span(name) for name in (elements.signing_organ, *elements.joint)]
    wide, narrow = max(width_of(faces, (each,)) for each in organs), width_of(faces, (_date(elements),))
    if wide > WIDTH - 4 * ADVANCE:
        raise DoesNotFit(element="发文机关署名 signing_organ", place="24 字 characters")
    if not elements.sealed:
        return _unsealed(faces, elements, organs, wide, narrow)
    if elements.joint:
        return _joint(faces, elements, organs, wide)
    middle = min(WIDTH - 4 * ADVANCE - narrow / 2, WIDTH - ADVANCE - wide / 2)
    signed = (_about(faces, organs[0], middle), _about(faces, _date(elements), middle, SIGNATURE))
    # the seal reaches below the date
    spare: list[Row] = [*_notes(faces, elements, middle - _HALF_SEAL)] or [None]
    return Closing((None, None, *signed, *spare), ((0, middle),))


def _date(elements: Elements) -> Span:
    return Span(chinese_date(elements.date))


def _about(faces: Typefaces, span: Span, middle: float, source: str = "") -> Line:
    return Line((span,), middle - width_of(faces, (span,)) / 2, source=source)


def _joint(faces: Typefaces, elements: Elements, organs: list[Span], widest: float) -> Closing:
    """联合行文: organs in order, side by side as far as they go, a seal on each, the date under the last (7.3.5.1)."""
    across = min(len(organs), _MOST_ACROSS, int((WIDTH + ADVANCE) / (widest + ADVANCE)))
    middles = [WIDTH * (2 * column + 1) / (2 * across) for column in range(across)]
    rows: list[Row] = []
    seals = []
    for begin in range(0, len(organs), across):
        line = organs[begin : begin + across]
        places = middles[across - len(line) :]
        seals += [(len(rows), middle) for middle in places]
        names = tuple(_about(faces, organ, middle) for organ, middle in zip(line, places, strict=True))
        last = begin + across >= len(organs)
        rows += [
            None,
            None,
            names,
            _about(faces, _date(elements), places[-1], SIGNATURE) if last else None,
            None,
        ]
    if len(rows) > _MOST_ROWS:
        raise DoesNotFit(element="联合发文机关 joint", place=f"{_MOST_ROWS} 行 rows")
    return Closing((*rows, *_notes(faces, elements, WIDTH)), tuple(seals))


def _signed(faces: Typefaces, elements: Elements) -> Closing:
    """加盖签发人签名章: two blank lines, the name 4 cells in, the title 2 cells left of it; a blank line, the date (7.3.5.3).

    Without a name seal the name in red 楷体 stands for it.
    """
    if elements.name_seal is not None:
        return _with_name_seal(faces, elements, elements.name_seal)
    name, title = Span(elements.signers[0], Role.KAI), Span(elements.signer_title or "")
    wide = width_of(faces, (name,), size=_SIGNATURE_SIZE, spacing=0.0)
    left = WIDTH - 4 * ADVANCE - wide
    signed: tuple[Line, ...] = (Line((name,), left, 0.0, _SIGNATURE_SIZE, RED),)
    if title.text:
        beside = left - 2 * ADVANCE - width_of(faces, (title,))
        if beside < 0:
            raise DoesNotFit(element="签发人职务 signer_title", place="1 行 line")
        signed = (Line((title,), beside), *signed)
    date = _date(elements)
    dated = Line((date,), WIDTH - 4 * ADVANCE - width_of(faces, (date,)), source=SIGNATURE)
    return Closing((None, None, signed, None, dated, *_notes(faces, elements, WIDTH)))


def _with_name_seal(faces: Typefaces, elements: Elements, seal: NameSeal) -> Closing:
    """The name seal 4 cells in, two blank lines below the text, the title 2 cells left of it, in its middle (7.3.5.3)."""
    left = WIDTH - 4 * ADVANCE - seal.width_mm * MM
    title = Span(elements.signer_title or "")
    beside = None
    if title.text:
        at = left - 2 * ADVANCE - width_of(faces, (title,))
        if at < 0:
            raise DoesNotFit(element="签发人职务 signer_title", place="1 行 line")
        beside = Line((title,), at)
    date = _date(elements)
    dated = Line((date,), WIDTH - 4 * ADVANCE - width_of(faces, (date,)))
    rows: tuple[Row, ...] = (None, None, None, None, None, dated, *_notes(faces, elements, WIDTH))
    return Closing(rows, signature=Signature(2, left, seal, beside))


def _unsealed(
    faces: Typefaces, elements: Elements, organs: list[Span], authority: float, date: float
) -> Closing:
    """Authority 2 cells from the right and the date 2 cells further right; a longer date pushes both left (7.3.5.2)."""
    left = WIDTH - 2 * ADVANCE - authority
    below = left + 2 * ADVANCE
    over = max(below + date - (WIDTH - 2 * ADVANCE), 0.0)
    named = (Line((each,), left - over) for each in organs)
    dated = Line((_date(elements),), below - over, source=SIGNATURE)
    return Closing((None, *named, dated, *_notes(faces, elements, WIDTH)))


def _notes(faces: Typefaces, elements: Elements, width: float) -> list[Line]:
    """附注: two cells in, in round brackets, on the line below the date (7.3.7), clear of the seal."""
    if not elements.notes:
        return []
    text = elements.notes.strip().removeprefix("（").removesuffix("）")
    return break_lines(faces, (Span(f"（{text}）"),), Measure(width, first=INDENT, left=INDENT), NOTES, -1)


def seal_boxes(end: Closing, row: int, page: int, size_mm: float) -> tuple[SealBox, ...]:
    """The seals' places when the closing starts on `row` (from 0) of a page (from 1)."""
    return tuple(_seal_box(row + offset, middle, page, size_mm) for offset, middle in end.seals)


def _seal_box(row: int, middle_x: float, page: int, size_mm: float) -> SealBox:
    size = size_mm * MM
    middle = row_top(row + 2) + (PITCH + SIZE) / 2  # between authority and date
    lowest = row_top(row + _SEAL_ROWS) + SIZE - size  # so that the seal stays in the rows of the closing
    top = min(middle - _SEAL_DROP - size / 2, row_top(row) + _SEAL_BEGINS * PITCH, lowest)
    left = LEFT + middle_x - size / 2
    left = min(left, LEFT + WIDTH - size)
    return SealBox(page, round(left / MM, 3), round(top / MM, 3), size_mm)
