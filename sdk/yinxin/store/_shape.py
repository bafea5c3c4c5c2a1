"""How the rows of one table are named, read and digested: settled once for each table, since every act asks."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from yinxin import canonical
from yinxin.clock import rfc3339
from yinxin.crypto.suite import INTL
from yinxin.store._base import Instant
from yinxin.store._prepared import Sql, listed

#: rows that are read by one question
_TOGETHER = 100
Key = tuple[Any, ...]


class Shape:
    """How the rows of one table are named, read and digested."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        self._key = list(table.primary_key.columns)
        self._columns = list(table.columns)
        self._at = [self._columns.index(each) for each in self._key]
        # columns in the order of the canonical form (RFC 8785 3.2.3): where each stands in a row, its name as it is
        # written, and what is not said of it
        named = sorted(enumerate(self._columns), key=lambda each: each[1].key.encode("utf-16-be"))
        self._said = [(at, f"{canonical.quoted(each.key)}:", _default(each)) for at, each in named]
        #: of each column, what a value is that the database gives back as it was given it, and how long it may be
        self._kept: list[tuple[str, Any, int | None]] = [
            (each.key, _KEPT.get(type(each.type)), getattr(each.type, "length", None))
            for each in self._columns
        ]
        self._begin = f"[{canonical.quoted(table.name)},{{"
        here = [each == sa.bindparam(f"key_{at}", type_=each.type) for at, each in enumerate(self._key)]
        rows = sa.select(*self._columns).with_for_update(key_share=True)
        self._after: Sql | None = None
        self._one = Sql(rows.where(*here))
        self._every = Sql(sa.select(*self._columns).order_by(*self._key))
        self._several = Sql(rows.where(listed(self._key[0], "keys"))) if len(self._key) == 1 else None

    def followed(self, connection: sa.Connection, keys: Iterable[Key]) -> Iterator[tuple[str, list[Key]]]:
        """Rows of another table that the database itself writes when a row of this one changes (`info`: table, column)."""
        if (other := self.table.info.get("followed")) is None:
            return
        name, column = other
        if self._after is None:
            table = self.table.metadata.tables[name]
            self._after = Sql(sa.select(*table.primary_key.columns).where(listed(table.c[column], "keys")))
        for part in _parts(list(keys)):
            rows = self._after.all(connection, {"keys": [key for (key,) in part]})
            yield name, [tuple(row) for row in rows]

    def read(self, connection: sa.Connection, keys: Iterable[Key]) -> dict[Key, Sequence[Any]]:
        """Those of the rows that are there, by their keys."""
        wanted = list(keys)
        if self._several is not None and len(wanted) > 1:
            asked = ({"keys": [key for (key,) in part]} for part in _parts(wanted))
            found = {self.key(row): row for each in asked for row in self._several.all(connection, each)}
            # a key that the database gives back otherwise than it was given is asked for by itself
            if found.keys() <= set(wanted):
                return found
        asked_alone = ((key, {f"key_{at}": each for at, each in enumerate(key)}) for key in wanted)
        return {key: row for key, each in asked_alone for row in self._one.all(connection, each)}

    def given(self, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """The row as it will be read, of all that an INSERT is given; None where the database may keep it in another form."""
        row = []
        for name, kind, most in self._kept:
            value = values[name]
            if value is not None and (type(value) is not kind or (most is not None and len(value) > most)):
                return None
            row.append(value)
        return row

    def every(self, connection: sa.Connection) -> Iterator[tuple[str, Sequence[Any]]]:
        """Every row of the table, with its key as it is spelt."""
        for row in self._every.each(connection, {}):
            yield self.spelt(self.key(row)), row

    def key(self, row: Sequence[Any]) -> Key:
        """The primary key in a row."""
        return tuple([row[at] for at in self._at])

    @staticmethod
    def spelt(key: Key) -> str:
        """A key as text: its parts, with a slash between them."""
        if len(key) == 1 and type(key[0]) is str:
            return key[0]
        return "/".join([each if type(each) is str else str(_plain(each)) for each in key])

    def digest(self, row: Sequence[Any], salt: bytes) -> str:
        """Of what a row says, under a salt; in hexadecimal.

        Digested is the canonical form of the table's name and of an object with the columns that are neither empty nor at
        their default, each as text.
        """
        said = [
            name + text
            for at, name, default in self._said
            if (value := row[at]) is not None and (text := _QUOTED[type(value)](value)) != default
        ]
        return INTL.hash.digest(salt + f"{self._begin}{','.join(said)}}}]".encode()).hex()


@lru_cache(maxsize=1024)
def shape_of(table: sa.Table) -> Shape:
    """The shape of a table, made once."""
    return Shape(table)


def _parts(keys: list[Key]) -> Iterator[list[Key]]:
    """So many as one question asks for."""
    return (keys[at : at + _TOGETHER] for at in range(0, len(keys), _TOGETHER))


def _plain(value: Any) -> str | None:
    """A value as text; octets by their digest."""
    return None if value is None else _spelling(type(value))(value)


def _spelling(kind: type) -> Callable[[Any], str]:
    """How values of a type are written as text."""
    spelling = _SPELLINGS.get(kind)
    if spelling is None:
        spelling = next((each for of, each in _SPELT if issubclass(kind, of)), str)
        _SPELLINGS[kind] = spelling
    return spelling


#: what both databases give back exactly as they were given it, by the column's type: no text of another class, no number in
#: another's column. PostgreSQL cuts spaces off a text that is too long, so that none is taken on trust
_KEPT: dict[type, type] = {
    sa.String: str,
    sa.Text: str,
    sa.Integer: int,
    sa.BigInteger: int,
    sa.Boolean: bool,
    sa.LargeBinary: bytes,
    Instant: datetime,
}

#: of the types that were met
_SPELLINGS: dict[type, Callable[[Any], str]] = {}


#: by type, the first that fits
_SPELT: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (datetime, rfc3339),
    (date, date.isoformat),
    ((bytes, memoryview), lambda value: INTL.hash.digest(bytes(value)).hex()),
    (
        (dict, list),
        lambda value: json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
    ),
)


class _Quoted(dict[type, Callable[[Any], str]]):
    """How values of a type stand as text in canonical JSON, by the types that were met."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        spelling, quoted = _spelling(kind), canonical.quoted
        found = self[kind] = lambda value: quoted(spelling(value))
        return found


_QUOTED = _Quoted({str: canonical.quoted})


def _default(column: sa.Column[Any]) -> str | None:
    """As it is written of a row that has it."""
    given = column.server_default
    return None if not isinstance(given, sa.DefaultClause) else canonical.quoted(str(given.arg).strip("'"))
