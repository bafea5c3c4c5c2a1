"""What the record of an act says of the rows it changed, so that a row which no act has changed shows.

The entry of an act commits to every row that it put in, altered or removed: by table and key, to the digest of what the
row says now. Beside it stands which rows these were, and the salt that opens the newest statement about each; so the log can
be held against every table, row by row, and tells nobody what a row said that has changed since.

Rows are found where statements pass, whoever writes them. A column that a later version adds changes no digest while it is
empty or holds its default.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import Delete, Insert, Update

from yinxin import canonical
from yinxin.clock import rfc3339
from yinxin.crypto.suite import INTL
from yinxin.randomness import Randomness
from yinxin.store._base import Base
from yinxin.store._prepared import ROWS, Sql, listed
from yinxin.store.errors import RowsMoved, UnrecordedChange

#: octets of a salt; rows that are read by one question
SALT, _TOGETHER = 16, 100
Key = tuple[Any, ...]


class RecordedRow(Base):
    """What the entry of an act says of one row: the digest of what it holds after the act, none where it was removed.

    `salt` stands while it is the newest statement about the row.
    """

    __tablename__ = "recorded_row"
    __table_args__ = (sa.Index("ix_recorded_row_of_key", "of", "key"),)

    entry: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    of: Mapped[str] = mapped_column(sa.String(64))
    key: Mapped[str] = mapped_column(sa.Text)
    digest: Mapped[str] = mapped_column(sa.String(64))
    salt: Mapped[bytes | None]


_ROW = cast("sa.Table", RecordedRow.__table__)
_SUPERSEDE = Sql(
    sa.update(_ROW)
    .where(_ROW.c.of == sa.bindparam("table"), _ROW.c.key == sa.bindparam("row"), _ROW.c.salt.is_not(None))
    .values(salt=None)
)
_STATE = Sql(sa.insert(_ROW), *_ROW.c.keys())


class Changed:
    """The rows that one act changes, of the tables that the log accounts for."""

    def __init__(self, tables: Mapping[str, sa.Table]) -> None:
        self._tables = tables
        self._keys: dict[str, dict[Key, None]] = {}
        self._begun: list[str] = []
        #: of the statement under way
        self._met = 0

    def add(self, table: sa.Table, keys: Iterable[Key]) -> None:
        """Note rows by their primary keys."""
        self._keys.setdefault(table.name, {}).update(dict.fromkeys(keys))

    def found(self, table: sa.Table, keys: Sequence[Key]) -> None:
        """Note the rows that a statement on its way was found to meet."""
        self._met = len(keys)
        self.add(table, keys)

    def held(self, table: sa.Table, number: int) -> None:
        """Raise RowsMoved where the statement met another number of rows than was found.

        PostgreSQL shows each statement what was committed until it began (READ COMMITTED): another transaction's row may be
        there for the statement and not have been there for whoever looked. The act is undone and may be done again.
        """
        if number != self._met:
            raise RowsMoved(table=table.name)

    def begin(self, table: str) -> None:
        """Note that the log accounts for a table from this act on."""
        self._begun.append(table)

    def none(self) -> None:
        """Raise UnrecordedChange where there is such a row: acts that are recorded together say nothing of rows."""
        for name in self._keys:
            raise UnrecordedChange(table=name)

    def accounts(self, table: object) -> bool:
        """Whether the log accounts for its rows."""
        return isinstance(table, sa.Table) and table.name in self._tables

    def record(self, connection: sa.Connection, entry: str, randomness: Randomness) -> str | None:
        """Write what is so of these rows now; the digest to which the entry commits, None where there are none."""
        found: list[dict[str, Any]] = [
            {"of": name, "key": "", "digest": "", "salt": None} for name in self._begun
        ]
        for name in list(self._keys):
            for follower, keys in shape_of(self._tables[name]).followed(connection, self._keys[name]):
                if follower in self._tables:
                    self.add(self._tables[follower], keys)
        for name in self._keys:
            shape = shape_of(self._tables[name])
            now = shape.read(connection, self._keys[name])
            for key in self._keys[name]:
                text, values = shape.spelt(key), now.get(key)
                salt = None if values is None else randomness.token(SALT)
                digest = "" if salt is None or values is None else shape.digest(values, salt)
                found.append({"of": name, "key": text, "digest": digest, "salt": salt})
        if not found:
            return None
        found.sort(key=lambda each: (each["of"], each["key"]))
        _SUPERSEDE.run_many(connection, [{"table": each["of"], "row": each["key"]} for each in found])
        _STATE.run_many(connection, [{"entry": entry, "number": at} | each for at, each in enumerate(found)])
        return committed((each["of"], each["key"], each["digest"]) for each in found)

    def before(
        self, connection: sa.Connection, statement: Update | Delete, given: Sequence[Mapping[str, Any]]
    ) -> None:
        """Note the rows that an UPDATE or DELETE will meet."""
        table = cast("sa.Table", statement.table)
        which = sa.select(*table.primary_key.columns).where(*statement._where_criteria)  # noqa: SLF001 - the only way to ask for it
        met = [
            tuple(row)
            for each in given or ({},)
            for row in connection.execute(which.with_for_update(key_share=True), each)
        ]
        self.found(table, met)

    def after(self, statement: Insert | Update | Delete, result: CursorResult[Any]) -> None:
        """Note the rows that an INSERT made; as `held` for other statements. Raise TypeError for rows that nobody can name."""
        table = cast("sa.Table", statement.table)
        if not isinstance(statement, Insert):
            # SQLite counts what is returned only once it is read; but it has one transaction that writes at a time
            uncounted = statement._returning and result.context.dialect.name == "sqlite"  # noqa: SLF001 - the only way to ask for it
            if not uncounted and result.rowcount != -1:
                self.held(table, result.rowcount)
            return
        if statement._multi_values or statement.select is not None:  # noqa: SLF001
            raise TypeError(f"{table.name}: rows that nobody can name; give their values one by one")
        names = [each.key for each in table.primary_key.columns]
        given = result.context.compiled_parameters
        if all(each.get(name) is not None for each in given for name in names):
            self.add(table, (tuple(each[name] for name in names) for each in given))
        else:
            self.add(table, (tuple(each or ()) for each in result.inserted_primary_key_rows))


def committed(rows: Iterable[tuple[str, str, str]]) -> str:
    """What an entry commits to: the digest of table, key and digest of each row, in their order."""
    return INTL.hash.digest(canonical.encode([list(each) for each in rows])).hex()


class Shape:
    """How the rows of one table are named, read and digested."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        self._key = list(table.primary_key.columns)
        self._columns = list(table.columns)
        self._at = [self._columns.index(each) for each in self._key]
        self._defaults = {each.key: _default(each) for each in self._columns}
        here = [each == sa.bindparam(f"key_{at}", type_=each.type) for at, each in enumerate(self._key)]
        rows = sa.select(*self._columns).with_for_update(key_share=True)
        self._after: Sql | None = None
        self._one = Sql(rows.where(*here))
        self._several = Sql(rows.where(listed(self._key[0], "keys"))) if len(self._key) == 1 else None

    def followed(self, connection: sa.Connection, keys: Iterable[Key]) -> Iterator[tuple[str, list[Key]]]:
        """Rows of another table that the database itself writes when a row of this one changes (`info`: table, column)."""
        if (other := self.table.info.get("followed")) is None:
            return
        name, column = other
        if self._after is None:
            table = self.table.metadata.tables[name]
            self._after = Sql(
                sa.select(*table.primary_key.columns).where(table.c[column] == sa.bindparam("of"))
            )
        yield name, [tuple(row) for (key,) in keys for row in self._after.all(connection, {"of": key})]

    def read(self, connection: sa.Connection, keys: Iterable[Key]) -> dict[Key, Sequence[Any]]:
        """Those of the rows that are there, by their keys."""
        wanted = list(keys)
        if self._several is not None and len(wanted) > 1:
            parts = [wanted[at : at + _TOGETHER] for at in range(0, len(wanted), _TOGETHER)]
            asked = ({"keys": [key for (key,) in part]} for part in parts)
            found = {self.key(row): row for each in asked for row in self._several.all(connection, each)}
            # a key that the database gives back otherwise than it was given is asked for by itself
            if found.keys() <= set(wanted):
                return found
        asked_alone = ((key, {f"key_{at}": each for at, each in enumerate(key)}) for key in wanted)
        return {key: row for key, each in asked_alone for row in self._one.all(connection, each)}

    def every(self, connection: sa.Connection) -> Iterator[tuple[str, Sequence[Any]]]:
        """Every row of the table, with its key as it is spelt."""
        asked = sa.select(*self._columns).order_by(*self._key).execution_options(yield_per=500)
        with connection.execute(asked) as rows:
            for row in rows:
                yield self.spelt(self.key(row)), row

    def key(self, row: Sequence[Any]) -> Key:
        """The primary key in a row."""
        return tuple(row[at] for at in self._at)

    @staticmethod
    def spelt(key: Key) -> str:
        """A key as text: its parts, with a slash between them."""
        return "/".join(str(_plain(each)) for each in key)

    def digest(self, row: Sequence[Any], salt: bytes) -> str:
        """Of what a row says, under a salt; in hexadecimal."""
        said = {}
        for column, value in zip(self._columns, row, strict=True):
            plain = _plain(value)
            if plain is not None and plain != self._defaults[column.key]:
                said[column.key] = plain
        return INTL.hash.digest(salt + canonical.encode([self.table.name, said])).hex()


@lru_cache(maxsize=1024)
def shape_of(table: sa.Table) -> Shape:
    """The shape of a table, made once."""
    return Shape(table)


def _plain(value: Any) -> str | None:
    """A value as text; octets by their digest."""
    if value is None or type(value) is str:
        return value
    for kind, plain in _PLAIN:
        if isinstance(value, kind):
            return plain(value)
    return str(value)


#: by type, the first that fits
_PLAIN: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (datetime, rfc3339),
    (date, date.isoformat),
    ((bytes, memoryview), lambda value: INTL.hash.digest(bytes(value)).hex()),
    (
        (dict, list),
        lambda value: json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
    ),
)


def _default(column: sa.Column[Any]) -> str | None:
    given = column.server_default
    return None if not isinstance(given, sa.DefaultClause) else str(given.arg).strip("'")


def listen(engine: sa.Engine) -> None:
    """Have every statement of this engine's acts looked at (`Sql` does so by itself)."""

    def before(connection: Any, statement: Any, many: Any, one: Any, _options: object) -> None:
        changed = connection.get_execution_options().get(ROWS)
        if (
            changed is not None
            and isinstance(statement, Update | Delete)
            and changed.accounts(statement.table)
        ):
            changed.before(connection, statement, many or ([one] if one else []))

    def after(
        connection: Any, statement: Any, _many: object, _one: object, _options: object, result: Any
    ) -> None:
        changed = connection.get_execution_options().get(ROWS)
        if (
            changed is not None
            and isinstance(statement, Insert | Update | Delete)
            and changed.accounts(statement.table)
        ):
            changed.after(statement, result)

    sa.event.listen(engine, "before_execute", before)
    sa.event.listen(engine, "after_execute", after)
