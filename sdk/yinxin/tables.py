"""Tables for spreadsheets: CSV that cannot be mistaken for formulas, and JSON Lines."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Format = Literal["csv", "jsonl"]

#: what a spreadsheet may take for the beginning of a formula (OWASP, CSV injection), one of a Chinese keyboard too
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: Any) -> str:
    """A value as a cell: text that would begin a formula is marked as text by an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def begun(rows: Iterator[T]) -> Iterator[T]:
    """The same rows, the first of them asked for now: what is refused is refused before an answer begins."""
    first = tuple(islice(rows, 1))
    return chain(first, rows)


def lines(rows: Iterable[Mapping[str, Any]], columns: Iterable[str], kind: Format) -> Iterator[str]:
    """The rows as CSV (RFC 4180) with a line of column names, or as JSON Lines; one text a line, as they come."""
    names = tuple(columns)
    if kind == "jsonl":
        for row in rows:
            yield json.dumps({name: row.get(name) for name in names}, ensure_ascii=False) + "\n"
        return
    yield _line(names)
    for row in rows:
        yield _line(cell(row.get(name)) for name in names)


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
