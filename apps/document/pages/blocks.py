"""The editor's form: its fields as a text, and what its buttons do to it where no script does.

Every block has the fields `kind`, `text` and `shape`, in the order of the page; a table's cells follow in `cell`, row by
row, as many as its shape (3x4: rows by columns) says.
"""

import re
from collections.abc import Iterator, Sequence

from werkzeug.datastructures import MultiDict

from yinxin.manuscripts import BlockIn, BlockKind, TextIn

#: rows and columns that a new table has
_ROWS, _COLUMNS = 3, 3
_SHAPE = re.compile(r"^(\d{1,3})x(\d{1,2})$")
_GAP = re.compile(r"\s*[|｜\t]\s*")


def written(form: MultiDict[str, str]) -> TextIn:
    """The text; raises pydantic's ValidationError."""
    cells = iter(form.getlist("cell"))
    kinds, texts, shapes = (form.getlist(name) for name in ("kind", "text", "shape"))
    blocks = [
        _block(kind, text, shape, cells)
        for kind, text, shape in zip(kinds, texts, [*shapes, *[""] * len(kinds)], strict=False)
    ]
    return TextIn.model_validate(
        {"title": form.get("title", ""), "blocks": blocks, "notes": form.get("notes", "")}
    )


def _block(kind: str, text: str, shape: str, cells: Iterator[str]) -> dict[str, object]:
    """A block as the form has it; one whose kind was changed takes its words along."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    size = _SHAPE.match(shape)
    rows: list[list[str]] = []
    if size is not None:
        rows = [[next(cells, "") for _ in range(int(size[2]))] for _ in range(int(size[1]))]
    if kind == "table" and size is None:
        rows = [_GAP.split(line.strip()) for line in text.split("\n") if line.strip()]
        return {"kind": kind, "rows": rows or _empty()}
    if kind != "table" and rows:
        return {"kind": kind, "text": "\n".join("　".join(filter(None, row)) for row in rows).strip()}
    return {"kind": kind, "text": "" if kind == "table" else text, "rows": rows}


def _empty() -> list[list[str]]:
    return [[""] * _COLUMNS for _ in range(_ROWS)]


def blank(kind: BlockKind) -> BlockIn:
    """A new block."""
    rows = tuple(tuple(row) for row in _empty()) if kind == "table" else ()
    return BlockIn(kind=kind, rows=rows)


def apply(text: TextIn, button: str) -> tuple[TextIn, int | None]:
    """The text after a button was pressed (`up:3`, `row-off:3:1`), and the block to go to."""
    name, *numbers = button.split(":")
    if not numbers or not all(each.isdecimal() for each in numbers):
        return text, None
    at = int(numbers[0])
    blocks = list(text.blocks)
    if name == "after":
        blocks.insert(min(at, len(blocks)), blank("p"))
        return _with(text, blocks), min(at, len(blocks) - 1)
    if at >= len(blocks):
        return text, None
    if name == "delete":
        del blocks[at]
        at = max(at - 1, 0)
    elif name in ("up", "down"):
        to = min(max(at + (1 if name == "down" else -1), 0), len(blocks) - 1)
        blocks.insert(to, blocks.pop(at))
        at = to
    else:
        rows = _table(name, blocks[at].rows, int(numbers[1]) if len(numbers) > 1 else 0)
        blocks[at] = blocks[at].model_copy(update={"rows": rows})
    return _with(text, blocks), at


def _table(name: str, rows: Sequence[tuple[str, ...]], at: int) -> tuple[tuple[str, ...], ...]:
    wide = len(rows[0]) if rows else _COLUMNS
    match name:
        case "row":
            return (*rows, ("",) * wide)
        case "column":
            return tuple((*row, "") for row in rows)
        case "row-off" if len(rows) > 1:
            return tuple(row for index, row in enumerate(rows) if index != at)
        case "column-off" if wide > 1:
            return tuple(tuple(cell for index, cell in enumerate(row) if index != at) for row in rows)
    return tuple(rows)


def _with(text: TextIn, blocks: Sequence[BlockIn]) -> TextIn:
    return text.model_copy(update={"blocks": tuple(blocks)})
