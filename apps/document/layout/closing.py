"""发文机关署名, 成文日期, 印章, 附注: the end of the body (GB/T 9704-2012, 7.3.5 to 7.3.8)."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil

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
    SPACING,
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
_NAME_SEAL_ROWS = 2  # of a name seal, or more where it is higher
_NOTHING = 0.001  # in points: what sums of widths differ by
_NO_NAME = "　　　"  # room for the name of who has not signed yet


@dataclass(frozen=True, slots=True)
class Closing:
    """The rows after the text, never parted from each other; `seals` are the row and the middle from the left of each seal."""

    rows: tuple[Row, ...]
    seals: tuple[tuple[int, float], ...] = ()
    signatures: tuple["Signature", ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """签名章, or a name for it, in the middle of `high` rows, the first of which is `row`; the title stands beside it, in as many lines as it takes.

    `left` is how far it stands from the type area's edge.
    """

    row: int
    high: int
    left: float
    mark: NameSeal | Line
    titles: tuple[Line, ...]

    def marks(self, row: int) -> Iterator[Text | Picture]:
        """What stands there when the closing starts on `row` (from 0) of a page."""
        at = row + self.row + (self.high - 1) / 2
        if isinstance(self.mark, NameSeal):
            width, height = self.mark.width_mm * MM, self.mark.height_mm * MM
            yield Picture(LEFT + self.left, row_top(at) + (SIZE - height) / 2, width, height, self.mark.png)
        else:
            yield on_row(self.mark, at)
        for number, line in enumerate(self.titles):
            yield on_row(line, at + number - (len(self.titles) - 1) / 2)


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
    """加盖签发人签名章: two blank lines, the name seal 4 cells in, the title 2 cells left of it; a blank line, the date (7.3.5.3).

    Of several organs each signer has rows of her own, the issuing organ's first; titles stand in one column, all as wide as the
    longest, and so do name seals.
    The name in red 楷体 stands for a seal that was not put on.
    """
    signers = _signers(elements)
    widths = [
        width_of(faces, (Span(each.name, Role.KAI),), size=_SIGNATURE_SIZE, spacing=0.0)
        if each.seal is None
        else each.seal.width_mm * MM
        for each in signers
    ]
    left = WIDTH - 4 * ADVANCE - max(widths)
    room = left - 2 * ADVANCE
    widest = min(max(width_of(faces, (Span(each.title),)) for each in signers), room)
    rows: list[Row] = [None, None]
    signatures = []
    for each in signers:
        titles = _titles(faces, each.title, room - widest, widest)
        high, mark = (
            len(titles) or 1,
            each.seal or Line((Span(each.name, Role.KAI),), left, 0.0, _SIGNATURE_SIZE, RED),
        )
        if each.seal is not None:
            high = max(_NAME_SEAL_ROWS, ceil(each.seal.height_mm * MM / PITCH))
        signatures.append(Signature(len(rows), high, left, mark, titles))
        rows += [None] * high
    date = _date(elements)
    rows += [None, Line((date,), WIDTH - 4 * ADVANCE - width_of(faces, (date,)), source=SIGNATURE)]
    if len(rows) > _MOST_ROWS:
        raise DoesNotFit(element="签发人 signers", place=f"{_MOST_ROWS} 行 rows")
    return Closing((*rows, *_notes(faces, elements, WIDTH)), signatures=tuple(signatures))


def _titles(faces: Typefaces, title: str, left: float, width: float) -> tuple[Line, ...]:
    """The title on a line, its characters spread evenly over the width; a longer one on two, the second from the left. Raises DoesNotFit."""
    if not title:
        return ()
    spare = width - width_of(faces, (Span(title),))
    if spare >= -_NOTHING:
        gaps = len(title) - 1
        return (
            Line((Span(title),), left, SPACING + spare / gaps)
            if gaps
            else Line((Span(title),), left + spare),
        )
    first = next(n for n in range(len(title), -1, -1) if width_of(faces, (Span(title[:n]),)) <= width)
    rest = Span(title[first:])
    if width_of(faces, (rest,)) > width:
        raise DoesNotFit(element="签发人职务 signer_titles", place="2 行 lines")
    return (Line((Span(title[:first]),), left), Line((rest,), left))


@dataclass(frozen=True, slots=True)
class _Signer:
    name: str
    title: str
    seal: NameSeal | None


def _signers(elements: Elements) -> list[_Signer]:
    """Who signs an order, as far as is known: one for each organ, room for those who have not signed."""
    number = 1 + len(elements.joint)
    given = zip_longest(
        elements.signers[:number], elements.signer_titles[:number], elements.name_seals[:number]
    )
    found = [_Signer(name or _NO_NAME, title or "", seal) for name, title, seal in given]
    return [*found, *[_Signer(_NO_NAME, "", None)] * (number - len(found))]


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
