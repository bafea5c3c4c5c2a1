"""Breaking text into lines that fill the type area (撑满版心), with the rules of GB/T 15834-2011 for line edges.

The layout engine only paints: which characters stand on a line, and how far apart, is settled here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.document.layout.faces import Role, Typefaces, advance
from apps.document.layout.grid import BLACK, SIZE, SPACING, WIDTH

NO_START = frozenset("，。、；：？！）》」』】〕〉”’％‰℃·,.;:?!)]}")
NO_END = frozenset("（《「『【〔〈“‘([{")
_HANGING = frozenset("，。、；：？！）》」』】〕〉”’")
"""Closing marks whose ink fills the left half of their cell: at a line's end the empty half may be given up."""

_TIGHTEN = 0.6  # points that a gap may lose before a closing mark is taken to the next line instead
LOOSEN = 3.2  # points that a gap may gain; beyond this a line stays ragged

_ATOM = re.compile(
    r"[\u3400-\u9fff]?〔\d{4}〕\d+号"  # a document number
    r"|[0-9A-Za-z][0-9A-Za-z.,%‰:/@_\-+&#=?~]*[年月日%℃]?"  # numbers and years are not split (7.3.3)
    r"|——|……"
    r"|."
)


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one role."""

    text: str
    role: Role = Role.BODY


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its spans, where it starts from the type area's left edge, its letter spacing and size, in points.

    `source` is the place in the content that it was set from, as a JSON pointer, and `start` the index there of its first
    character; below 0 where the layout's own characters stand before.
    """

    spans: tuple[Span, ...]
    left: float = 0.0
    spacing: float = SPACING
    size: float = SIZE
    color: str = BLACK
    source: str = ""
    start: int = 0

    @property
    def text(self) -> str:
        """The characters alone."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    role: Role
    ems: float


@dataclass(frozen=True, slots=True)
class Measure:
    """The room that a paragraph has: `first` and `left` are the indents of its first and of its other lines."""

    width: float = WIDTH
    first: float = 0.0
    left: float = 0.0
    size: float = SIZE
    spacing: float = SPACING


def width_of(
    faces: Typefaces, spans: Iterable[Span], *, size: float = SIZE, spacing: float = SPACING
) -> float:
    """Width in points of the spans set on one line."""
    cells = [advance(faces, span.role, c) for span in spans for c in span.text]
    return sum(cells) * size + max(len(cells) - 1, 0) * spacing


def break_lines(
    faces: Typefaces, spans: Sequence[Span], measure: Measure, source: str = "", start: int = 0
) -> list[Line]:
    """Set a paragraph: every line but the last fills the measure, no line starts or ends with a forbidden mark.

    `source` and `start` say where its first character comes from, as `Line` has it.
    """
    atoms = _atoms(faces, spans, measure)
    lines: list[Line] = []
    while atoms:
        left = measure.left if lines else measure.first
        taken = _take(atoms, measure.width - left, measure)
        row, atoms = atoms[:taken], atoms[taken:]
        length = _length(row)
        while row and row[-1].text == " " and atoms:
            row.pop()
        while atoms and atoms[0].text == " ":
            atoms.pop(0)
            length += 1
        spacing = _spacing(row, measure.width - left, measure, last=not atoms)
        lines.append(Line(_join(row), left, spacing, measure.size, source=source, start=start))
        start += length
    return lines


def _atoms(faces: Typefaces, spans: Sequence[Span], measure: Measure) -> list[_Cell]:
    """What is never split, as cells; a word wider than a whole line is split after all."""
    cells: list[_Cell] = []
    widest = (measure.width - max(measure.first, measure.left)) / measure.size
    for span in spans:
        for text in _ATOM.findall(span.text):
            ems = sum(advance(faces, span.role, c) for c in text)
            parts = text if ems > widest else (text,)
            cells += [
                _Cell(part, span.role, sum(advance(faces, span.role, c) for c in part)) for part in parts
            ]
    return cells


def _length(cells: Sequence[_Cell]) -> int:
    return sum(len(cell.text) for cell in cells)


def _width(cells: Sequence[_Cell], measure: Measure) -> float:
    return sum(cell.ems for cell in cells) * measure.size + max(_length(cells) - 1, 0) * measure.spacing


def _take(atoms: list[_Cell], room: float, measure: Measure) -> int:
    """How many atoms stand on the next line."""
    fit, width = 0, -measure.spacing
    while fit < len(atoms):
        width += atoms[fit].ems * measure.size + len(atoms[fit].text) * measure.spacing
        if width > room + 0.01:
            break
        fit += 1
    if fit == len(atoms):
        return fit
    return _tightened(atoms, fit, room, measure) or _backed(atoms, max(fit, 1))


def _tightened(atoms: list[_Cell], fit: int, room: float, measure: Measure) -> int:
    """Take closing marks onto the line when that costs each gap little; 0 when it does not."""
    end = fit
    while end < len(atoms) and atoms[end].text in NO_START:
        end += 1
    if end == fit:
        return 0
    excess = _width(atoms[:end], measure) - _hang(atoms[:end], measure) - room
    return end if excess <= _TIGHTEN * (_length(atoms[:end]) - 1) else 0


def _backed(atoms: list[_Cell], fit: int) -> int:
    """Move the break back until neither side of it is forbidden."""
    cut = fit
    while cut > 1 and (atoms[cut].text in NO_START or atoms[cut - 1].text in NO_END):
        cut -= 1
    return cut if cut > 1 else fit


def _hang(cells: Sequence[_Cell], measure: Measure) -> float:
    return measure.size / 2 if cells and cells[-1].text in _HANGING else 0.0


def _spacing(cells: Sequence[_Cell], room: float, measure: Measure, *, last: bool) -> float:
    """The letter spacing that fills the line; a paragraph's last line keeps its natural one unless it is too long."""
    gaps = max(_length(cells) - 1, 1)
    slack = room - _width(cells, measure)
    if slack < -0.01:
        slack += _hang(cells, measure)
        return measure.spacing + min(slack, 0.0) / gaps
    if last or slack / gaps > LOOSEN:
        return measure.spacing
    return measure.spacing + slack / gaps


def _join(cells: Sequence[_Cell]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for cell in cells:
        if spans and spans[-1].role is cell.role:
            spans[-1] = Span(spans[-1].text + cell.text, cell.role)
        else:
            spans.append(Span(cell.text, cell.role))
    return tuple(spans)
