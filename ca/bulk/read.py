"""Reading the list: encoding, columns, and for each row either an entry or what is wrong with it."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ca.bulk.errors import BadRow, BadTable, RowNeedsCommand
from ca.profile import HolderKind
from ca.request import Holder
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.text import Text

#: name → whether every row needs it
COLUMNS: Mapping[str, bool] = {
    "holder": True,
    "profile": True,
    "csr": True,
    "kind": False,
    "post": False,
    "organ": False,
    "days": False,
    "reference": False,
}
#: the same column's head in Chinese, as a spreadsheet of an office has it
HEADS: Mapping[str, str] = {
    "holder": "持有人",
    "profile": "证书模板",
    "csr": "证书请求",
    "kind": "持有人类别",
    "post": "岗位",
    "organ": "机关",
    "days": "有效天数",
    "reference": "行号",
}
_NAMES = {head: name for name, head in HEADS.items()}
KINDS = ("person", "organ", "service")
#: what stands in the column `csr` when the platform is to make the key
P12 = "p12"
#: rows that one file holds
MOST_ROWS = 100_000
#: columns that are looked at, many more than there are
_CELLS = 100
#: digits of the days of validity
_DIGITS = 5
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")


@dataclass(frozen=True)
class Entry:
    """A row that reads well. `csr` is None when the platform makes the key."""

    number: int
    holder: Holder
    profile: str
    csr: bytes | None
    days: int | None
    reference: str


@dataclass(frozen=True)
class Table:
    """The file: its rows by line number, in order, and its digest."""

    digest: str
    rows: Mapping[int, Entry | YinxinError]
    #: holder (kind and identifier) and profile as each row says them, also where it does not read well; empty where that cannot be told
    named: Mapping[int, tuple[str, str]]

    @property
    def entries(self) -> list[Entry]:
        """The rows that read well."""
        return [row for row in self.rows.values() if isinstance(row, Entry)]


def read(path: Path) -> Table:
    """The list in `path`; CSRs named in it lie in the same folder. Raises BadTable, OSError."""
    return parsed(path.read_bytes(), path.name, path.parent)


def parsed(data: bytes, file: str, folder: Path | None = None) -> Table:
    """The list in these octets. Without a folder a row brings its request itself, or is RowNeedsCommand. Raises BadTable."""
    lines = csv.reader(io.StringIO(_text(data, file), newline=""), strict=True)
    rows: dict[int, Entry | YinxinError] = {}
    named: dict[int, tuple[str, str]] = {}
    try:
        names = _head(file, lines)
        # a line at a time: a file of nothing but line ends is never held as that many rows
        for number, cells in enumerate(lines, 2):
            if number > MOST_ROWS + 1:
                reason = Text(f"超过 {MOST_ROWS} 行", f"more than {MOST_ROWS} rows")
                raise BadTable(file=file, reason=reason)
            if any(cell.strip() for cell in cells):
                given = _given(names, cells)
                rows[number], named[number] = _row(number, given, folder), _named(given)
    except csv.Error as error:
        raise BadTable(file=file, reason=str(error)) from error
    return Table(INTL.hash.digest(data).hex(), rows, named)


def _text(data: bytes, name: str) -> str:
    """UTF-8 with or without a mark, else GB 18030 (GB 18030-2022), as Chinese spreadsheets save it."""
    if b"\0" in data:  # not every database keeps it
        reason = Text("含有空字符（U+0000），请删去", "it has the character U+0000: take it out")
        raise BadTable(file=name, reason=reason)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTable(file=name, reason=Text("既非 UTF-8 也非 GB 18030", "neither UTF-8 nor GB 18030"))


def _head(file: str, lines: Iterator[list[str]]) -> list[str]:
    """The names of the columns; raises BadTable."""
    head = next(lines, None)
    if head is None:
        raise BadTable(file=file, reason=Text("空文件", "it is empty"))
    # among so many is one that is strange or there twice, whatever the others are
    heads = [each.strip().lower() for each in head[:_CELLS]]
    names = [_NAMES.get(each, each) for each in heads]
    _columns(file, names)
    return names


def _columns(file: str, names: list[str]) -> None:
    missing = [f"{name}（{HEADS[name]}）" for name, needed in COLUMNS.items() if needed and name not in names]
    strange = [name for name in names if name not in COLUMNS]
    twice = [name for name in names if names.count(name) > 1]
    for wrong, zh, en in (
        (missing, "缺少列", "columns missing"),
        (strange, "未知列", "unknown columns"),
        (twice, "重复的列", "columns twice"),
    ):
        if wrong:
            listed = ", ".join(sorted(set(wrong)))[:200]
            raise BadTable(file=file, reason=Text(f"{zh}：{listed}", f"{en}: {listed}"))


def _given(names: list[str], cells: list[str]) -> Mapping[str, str] | BadRow:
    """What stands in the row, by column; where there are too few cells or too many nobody knows which is which."""
    if len(cells) != len(names):
        field = Text("列数", "the number of cells")
        reason = Text(
            f"本行 {len(cells)} 格，表头 {len(names)} 列", f"{len(cells)} here, {len(names)} in the head"
        )
        return BadRow(field=field, reason=reason)
    return {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}


def _named(given: Mapping[str, str] | BadRow) -> tuple[str, str]:
    if isinstance(given, BadRow):
        return "", ""
    holder, kind = given.get("holder", "")[:80], given.get("kind", "person")[:20]
    return (f"{kind}:{holder}" if holder else ""), given.get("profile", "")[:60]


def _row(number: int, given: Mapping[str, str] | BadRow, folder: Path | None) -> Entry | YinxinError:
    if isinstance(given, BadRow):
        return given
    try:
        return _entry(number, given, folder)
    except YinxinError as error:
        return error


def _entry(number: int, given: Mapping[str, str], folder: Path | None) -> Entry:
    for name, needed in COLUMNS.items():
        if needed and name not in given:
            raise BadRow(field=name, reason=Text("未填写", "it is empty"))
    kind, days = given.get("kind", "person"), given.get("days", "")
    if kind not in KINDS:
        raise BadRow(field="kind", reason=", ".join(KINDS))
    if days and not (days.isascii() and days.isdigit() and len(days) <= _DIGITS and 0 < int(days) <= 36525):
        reason = Text("用半角数字写 1 至 36525 的整数", "a whole number from 1 to 36525 in ASCII digits")
        raise BadRow(field="days", reason=reason)
    reference = given.get("reference", "")
    if reference and not _REFERENCE.fullmatch(reference):
        reason = Text("字母、数字和 . _ : / -，至多 80 位", "letters, digits and . _ : / - only, at most 80")
        raise BadRow(field="reference", reason=reason)
    return Entry(
        number=number,
        holder=Holder(cast("HolderKind", kind), given["holder"][:80], given.get("post"), given.get("organ")),
        profile=given["profile"][:60],
        csr=_csr(given["csr"], folder),
        days=int(days) if days else None,
        reference=reference,
    )


def _csr(cell: str, folder: Path | None) -> bytes | None:
    """A request as it stands in the cell, or the file of that name beside the list, nothing outside its folder; None for `P12`."""
    if cell.startswith("-----BEGIN"):
        return cell.encode()
    if folder is None:
        raise RowNeedsCommand(asked=cell[:40])
    if cell.lower() == P12:
        return None
    file = folder / cell
    try:
        there = file.resolve().is_relative_to(folder.resolve()) and file.is_file()
    except OSError:  # it is longer than any name
        there = False
    if not there:
        reason = Text("名册所在目录中没有该文件", "there is no such file in the folder of the list")
        raise BadRow(field="csr", reason=reason)
    return file.read_bytes()
