"""Reading the tables, a row at a time: `organs.csv`, `posts.csv`, `people.csv`, `appointments.csv` of one folder."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from authz.directory.file import AppointmentEntry, Entry, OrganEntry, PersonEntry, PostEntry
from authz.roster.errors import RosterUnreadable
from yinxin.crypto.suite import INTL
from yinxin.text import Text

#: the tables in the order they are entered, and what a row of each is
TABLES: dict[str, type[Entry]] = {
    "organs": OrganEntry,
    "posts": PostEntry,
    "people": PersonEntry,
    "appointments": AppointmentEntry,
}
#: columns that hold several values, and what parts them
_LISTS = {"roles": ";"}
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it stands in its table; `number` is the line of the file, the first row of values being 2."""

    table: str
    number: int
    values: dict[str, object]


def lines(folder: Path, table: str) -> Iterator[Line]:
    """The rows of one table, none when the folder has no such table; raises RosterUnreadable."""
    file = folder / f"{table}.csv"
    if not file.exists():
        return
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            _check_columns(file, table, reader.fieldnames)
            for row in reader:
                yield Line(table, reader.line_num, _values(row))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RosterUnreadable(file=file.name, reason=str(error)) from error


def digest(folder: Path) -> str:
    """What names exactly these tables: a digest over the name and the octets of each; raises RosterUnreadable."""
    state = hashlib.new(INTL.hash.name)
    found = [folder / f"{table}.csv" for table in TABLES]
    present = [file for file in found if file.exists()]
    if not present:
        reason = Text("一个也没有交出", "none of them was given")
        raise RosterUnreadable(file=", ".join(file.name for file in found), reason=reason)
    try:
        for file in present:
            state.update(f"{file.name}\n{file.stat().st_size}\n".encode())
            with file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    state.update(chunk)
    except OSError as error:
        raise RosterUnreadable(file=str(folder), reason=str(error)) from error
    return state.hexdigest()


def _check_columns(file: Path, table: str, columns: object) -> None:
    known = set(TABLES[table].model_fields)
    unknown = sorted(set(columns or ()) - known) if isinstance(columns, list) else ["-"]
    if unknown:
        reason = Text(
            f"列 {', '.join(unknown)} 不在 {', '.join(sorted(known))} 之中",
            f"column {', '.join(unknown)} is none of {', '.join(sorted(known))}",
        )
        raise RosterUnreadable(file=file.name, reason=reason)


def _values(row: dict[str | None, object]) -> dict[str, object]:
    """What is filled in; a row with more values than columns keeps them under a name that no entry has."""
    values: dict[str, object] = {}
    for name, value in row.items():
        if name is None:
            values["?"] = value
        elif isinstance(value, str) and value.strip():
            text = value.strip()
            parted = [part.strip() for part in text.split(_LISTS[name])] if name in _LISTS else text
            values[name] = parted
    return values
