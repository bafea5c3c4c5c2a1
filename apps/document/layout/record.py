"""版记: copies, printing organ and date, at the foot of the last page (GB/T 9704-2012, 7.4)."""

from dataclasses import dataclass
from math import ceil

from apps.document.layout.closing import chinese_date
from apps.document.layout.errors import DoesNotFit
from apps.document.layout.faces import Typefaces
from apps.document.layout.grid import BOTTOM, LEFT, PITCH, ROWS, SMALL_SIZE, THICK, THIN, WIDTH
from apps.document.layout.lines import Line, Measure, Span, break_lines, width_of
from apps.document.layout.marks import Page, Rule, Text
from apps.document.layout.model import Elements, Form

_LINE = SMALL_SIZE * 1.75
"""Pitch of the record: a 4号 character and 7/8 of one."""


@dataclass(frozen=True, slots=True)
class Record:
    """The record's lines from top to bottom; `sends` of them say to whom it goes, `printing` is the last line."""

    sends: tuple[Line, ...]
    printing: tuple[Line, Line] | None
    ruled: bool

    @property
    def rows(self) -> int:
        """Rows of the grid to keep free: the record's height and a blank row above it."""
        lines = len(self.sends) + (self.printing is not None)
        return ceil(lines * _LINE / PITCH) + 1 if lines else 0


def record(faces: Typefaces, elements: Elements, form: Form, *, recipients_moved: bool) -> Record:
    """The record of a document; the letter form has neither rules nor printing organ (10.1)."""
    sends: list[Line] = []
    if recipients_moved:
        sends += _send(faces, "主送：", elements.main_recipients)
    if elements.copies_to:
        sends += _send(faces, "抄送：", elements.copies_to)
    ruled = form is not Form.LETTER
    made = Record(tuple(sends), _printing(faces, elements) if ruled else None, ruled)
    if made.rows > ROWS:
        raise DoesNotFit(element="抄送机关 copies_to", place=f"{ROWS} 行 rows")
    return made


def _send(faces: Typefaces, label: str, names: tuple[str, ...]) -> list[Line]:
    """One character in on both sides, other lines under the first name, closed by a full stop (7.4.2)."""
    measure = Measure(
        width=WIDTH - SMALL_SIZE,
        first=SMALL_SIZE,
        left=SMALL_SIZE * (1 + len(label)),
        size=SMALL_SIZE,
        spacing=0.0,
    )
    return break_lines(faces, (Span(label + "，".join(names).rstrip("。") + "。"),), measure)


def _printing(faces: Typefaces, elements: Elements) -> tuple[Line, Line] | None:
    """Printing organ at the left, date and 印发 at the right, one character in (7.4.3)."""
    if elements.printing_organ is None or elements.printing_date is None:
        return None
    organ, date = Span(elements.printing_organ), Span(chinese_date(elements.printing_date) + "印发")
    wide, narrow = (width_of(faces, (s,), size=SMALL_SIZE, spacing=0.0) for s in (organ, date))
    if wide + narrow > WIDTH - 3 * SMALL_SIZE:
        raise DoesNotFit(element="印发机关 printing_organ", place="1 行 line")
    left = Line((organ,), SMALL_SIZE, 0.0, SMALL_SIZE)
    return left, Line((date,), WIDTH - SMALL_SIZE - narrow, 0.0, SMALL_SIZE)


def put_record(page: Page, made: Record) -> None:
    """Put the record on a page, its last rule on the type area's lower edge (7.4.1)."""
    lines = [(line,) for line in made.sends] + ([made.printing] if made.printing else [])
    top = BOTTOM - len(lines) * _LINE
    for index, row in enumerate(lines):
        for line in row:
            at = top + index * _LINE + (_LINE - SMALL_SIZE) / 2
            page.add(Text(line.spans, LEFT + line.left, at, line.size, line.spacing))
    if not made.ruled:
        return
    page.add(Rule(LEFT, top, WIDTH, THICK), Rule(LEFT, BOTTOM - THICK, WIDTH, THICK))
    if made.sends and made.printing:
        page.add(Rule(LEFT, BOTTOM - _LINE - THIN / 2, WIDTH, THIN))
