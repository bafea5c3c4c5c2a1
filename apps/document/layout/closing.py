"""发文机关署名, 成文日期, 印章, 附注: the end of the body (GB/T 9704-2012, 7.3.5 to 7.3.8)."""

import datetime as dt
from dataclasses import dataclass

from apps.document.layout.errors import DoesNotFit
from apps.document.layout.faces import Typefaces
from apps.document.layout.grid import ADVANCE, LEFT, MM, PITCH, SIZE, WIDTH, row_top
from apps.document.layout.lines import Line, Measure, Span, break_lines, width_of
from apps.document.layout.model import Elements, SealBox
from apps.document.layout.rows import INDENT, Row

_SEAL_DROP = 3.2 * MM  # how far authority and date lie below the seal's middle (居中下压)
_HALF_SEAL = 23.5 * MM  # of the largest seal, and a little air
_SEAL_ROWS = 4  # rows of the closing under its first one
_SEAL_BEGINS = 0.5  # of a row under the text's last row at the latest: within one line of the text


@dataclass(frozen=True, slots=True)
class Closing:
    """The rows after the text, never parted from each other; `seal_mid` is the seal's middle from the left, if sealed."""

    rows: tuple[Row, ...]
    seal_mid: float | None


def chinese_date(date: dt.date) -> str:
    """成文日期: Arabic digits, full year, no leading zeros (7.3.5.4)."""
    return f"{date.year}年{date.month}月{date.day}日"


def closing(faces: Typefaces, elements: Elements) -> Closing:
    """Authority, date and notes, laid for a seal or without one."""
    authority, date = Span(elements.signing_organ), Span(chinese_date(elements.date))
    wide, narrow = width_of(faces, (authority,)), width_of(faces, (date,))
    if wide > WIDTH - 4 * ADVANCE:
        raise DoesNotFit(element="发文机关署名 signing_organ", place="24 字 characters")
    if not elements.sealed:
        left, below = _unsealed(wide, narrow)
        notes = _notes(faces, elements, WIDTH)
        return Closing((None, Line((authority,), left), Line((date,), below), *notes), None)
    middle = min(WIDTH - 4 * ADVANCE - narrow / 2, WIDTH - ADVANCE - wide / 2)
    signed = (Line((authority,), middle - wide / 2), Line((date,), middle - narrow / 2))
    spare: list[Row] = [*_notes(faces, elements, middle - _HALF_SEAL)] or [
        None
    ]  # the seal reaches below the date
    return Closing((None, None, *signed, *spare), middle)


def _unsealed(authority: float, date: float) -> tuple[float, float]:
    """Authority 2 cells from the right and the date 2 cells further right; a longer date pushes both left (7.3.5.2)."""
    left = WIDTH - 2 * ADVANCE - authority
    below = left + 2 * ADVANCE
    over = below + date - (WIDTH - 2 * ADVANCE)
    return (left - over, below - over) if over > 0 else (left, below)


def _notes(faces: Typefaces, elements: Elements, width: float) -> list[Line]:
    """附注: two cells in, in round brackets, on the line below the date (7.3.7), clear of the seal."""
    if not elements.notes:
        return []
    text = elements.notes.strip().removeprefix("（").removesuffix("）")
    return break_lines(faces, (Span(f"（{text}）"),), Measure(width, first=INDENT, left=INDENT))


def seal_box(end: Closing, row: int, page: int, size_mm: float) -> SealBox | None:
    """The seal's place when the closing starts on `row` (from 0) of a page (from 1)."""
    if end.seal_mid is None:
        return None
    size = size_mm * MM
    middle = row_top(row + 2) + (PITCH + SIZE) / 2  # between authority and date
    lowest = row_top(row + _SEAL_ROWS) + SIZE - size  # so that the seal stays in the rows of the closing
    top = min(middle - _SEAL_DROP - size / 2, row_top(row) + _SEAL_BEGINS * PITCH, lowest)
    left = LEFT + end.seal_mid - size / 2
    left = min(left, LEFT + WIDTH - size)
    return SealBox(page, round(left / MM, 3), round(top / MM, 3), size_mm)
