"""A table on the grid: every line of its cells stands on a row, rules run between the rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.document.layout.errors import DoesNotFit
from apps.document.layout.faces import Role, Typefaces
from apps.document.layout.grid import ROWS, SMALL_SIZE, WIDTH
from apps.document.layout.lines import Line, Measure, Span, break_lines, width_of
from apps.document.layout.model import Table

_PADDING = 5.0  # points between a cell's text and its rules
_NARROWEST = 2 * SMALL_SIZE + 2 * _PADDING
_MOST_COLUMNS = int(WIDTH / _NARROWEST)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One grid row of a table: a line for each cell (None where the cell has none here), and the columns' edges.

    `first` begins a row of the table; `head` belongs to its head; `heads` is repeated on every page; `kept` is how
    many rows, this one included, stay on one page.
    """

    cells: tuple[Line | None, ...]
    edges: tuple[float, ...]
    first: bool
    head: bool
    heads: tuple["TableRow", ...] = ()
    kept: int = 1


def table_rows(faces: Typefaces, table: Table, source: str = "") -> list[TableRow]:
    """Rows of a table that stands under the JSON pointer `source`; its head is not parted from the first row below it."""
    if len(table.rows[0]) > _MOST_COLUMNS:
        raise DoesNotFit(element="表格 table", place=f"{_MOST_COLUMNS} 列 columns")
    edges = _edges(faces, table)
    centred = [
        all(_fits(faces, text, edges, i) for text in column) for i, column in enumerate(_columns(table))
    ]
    head, *rest = [
        _row(faces, cells, edges, centred, index, f"{source}/rows/{index}")
        for index, cells in enumerate(table.rows)
    ]
    if len(head) > ROWS // 2:
        raise DoesNotFit(element="表头 head of the table", place=f"{ROWS // 2} 行 rows")
    below = len(rest[0]) if rest else 0
    kept = len(head) + min(below, ROWS - len(head))
    head = [replace(head[0], kept=kept), *head[1:]]
    return [*head, *(replace(row, heads=tuple(head)) for rows in rest for row in rows)]


def _columns(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*table.rows, strict=True))


def _natural(faces: Typefaces, text: str) -> float:
    return width_of(faces, (Span(text),), size=SMALL_SIZE, spacing=0.0) + 2 * _PADDING


def _fits(faces: Typefaces, text: str, edges: Sequence[float], column: int) -> bool:
    return _natural(faces, text) <= edges[column + 1] - edges[column]


def _row(  # noqa: PLR0917 - a row in all that is known of it
    faces: Typefaces,
    cells: Sequence[str],
    edges: tuple[float, ...],
    centred: Sequence[bool],
    index: int,
    source: str,
) -> list[TableRow]:
    role = Role.BODY if index else Role.BOLD
    columns = [
        _cell(
            faces,
            Span(text, role),
            (edges[i], edges[i + 1]),
            f"{source}/{i}",
            centred=centred[i] or index == 0,
        )
        for i, text in enumerate(cells)
    ]
    depth = max(1, *(len(column) for column in columns))
    padded = [[None] * ((depth - len(column)) // 2) + [*column] for column in columns]
    return [
        TableRow(
            tuple(column[line] if line < len(column) else None for column in padded),
            edges,
            line == 0,
            index == 0,
        )
        for line in range(depth)
    ]


def _cell(
    faces: Typefaces, span: Span, edges: tuple[float, float], source: str, *, centred: bool
) -> list[Line]:
    """Lines of a cell, moved to its place."""
    left, right = edges
    room = right - left - 2 * _PADDING
    lines = break_lines(faces, (span,), Measure(width=room, size=SMALL_SIZE, spacing=0.0), source)
    placed = []
    for line in lines:
        spare = room - width_of(faces, line.spans, size=SMALL_SIZE, spacing=line.spacing)
        placed.append(replace(line, left=left + _PADDING + (spare / 2 if centred else 0)))
    return placed


def _edges(faces: Typefaces, table: Table) -> tuple[float, ...]:
    """Column edges over the type area's width: what short columns ask for they get, long ones share the rest."""
    wishes = [max(_NARROWEST, *(_natural(faces, text) for text in column)) for column in _columns(table)]
    if sum(wishes) <= WIDTH:
        widths = [wish * WIDTH / sum(wishes) for wish in wishes]
    else:
        limit = _limit(wishes)
        widths = [min(wish, limit) for wish in wishes]
    edges = [0.0]
    for width in widths:
        edges.append(edges[-1] + width)
    return (*edges[:-1], WIDTH)


def _limit(wishes: Sequence[float]) -> float:
    """The width at which the longest columns are cut so that all of them together fill the type area."""
    room, left = WIDTH, len(wishes)
    for wish in sorted(wishes):
        if wish > room / left:
            break
        room, left = room - wish, left - 1
    return room / left
