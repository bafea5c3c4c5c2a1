"""What the record of an act says of the rows it changed, so that a row which no act has changed shows.

The entry of an act commits to every row that it put in, altered or removed: by table and key, to the digest of what the
row says now. Beside it stands which rows these were, and the salt that opens the newest statement about each; so the log can
be held against every table, row by row, and tells nobody what a row said that has changed since.

Rows are found where statements pass, whoever writes them. A column that a later version adds changes no digest while it is
empty or holds its default.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import Delete, Insert, Update

from yinxin import canonical
from yinxin.crypto.suite import INTL
from yinxin.randomness import Randomness
from yinxin.store._base import Base
from yinxin.store._prepared import ROWS, Sql
from yinxin.store._shape import Key, shape_of
from yinxin.store.errors import RowsMoved, UnrecordedChange

#: octets of a salt
SALT = 16


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
_STATE = Sql(sa.insert(_ROW), "entry", "number", "of", "key", "digest", "salt")
#: table and key, by which statements are ordered
_PLACE = itemgetter(0, 1)


class _Restated(list[Any]):
    """All that a row says which was there before."""


class Changed:
    """The rows that one act changes, of the tables that the log accounts for."""

    def __init__(self, tables: Mapping[str, sa.Table]) -> None:
        self._tables = tables
        #: by table, each key: whether an act may have said something of the row before, or all that a new row says
        self._keys: dict[str, dict[Key, bool | Sequence[Any]]] = {}
        self._begun: list[str] = []
        #: of the statement under way
        self._met = 0

    def add(self, table: sa.Table, keys: Iterable[Key]) -> None:
        """Note rows by their primary keys."""
        self._keys.setdefault(table.name, {}).update(dict.fromkeys(keys, True))

    def new(
        self, table: sa.Table, statement: Insert, keys: Sequence[Key], whole: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Note the rows that an INSERT puts in; `whole` is all that they will say, where it is known.

        Where it succeeded no such row was there: it was removed by the act that last said something of it, or there was none.
        A row that says what it was given is not read again, so one that something else altered on its way in will show.
        """
        if statement._post_values_clause is not None:  # noqa: SLF001 - it may meet what is there, and change it
            self.add(table, keys)
            return
        known = self._keys.setdefault(table.name, {})
        given = shape_of(table).given
        for key, values in zip_longest(keys, whole):
            if key not in known:
                known[key] = (given(values) if whole else None) or False

    def found(self, table: sa.Table, keys: Sequence[Key]) -> None:
        """Note the rows that a statement on its way was found to meet."""
        self._met = len(keys)
        known = self._keys.setdefault(table.name, {})
        for key in keys:  # one that this act put in stays new, but what it says is to be read
            known[key] = _former(known.get(key, True))

    def counted(
        self, table: sa.Table, keys: Sequence[Key], whole: Sequence[Mapping[str, Any]], number: int
    ) -> None:
        """Note the rows of which a statement, that named each by its key, has met this number: all, or none.

        `whole` is all that they say now, where it is known. RowsMoved where it met some: nobody could say which, and should the act
        go on all the same, all of them are read.
        """
        if number == 0:
            return
        if number != len(keys):
            whole = ()
        known, given = self._keys.setdefault(table.name, {}), shape_of(table).given
        for key, values in zip_longest(keys, whole):
            former, said = _former(known.get(key, True)), given(values) if whole else None
            known[key] = former if said is None else _Restated(said) if former else said
        if number != len(keys):
            raise RowsMoved(table=table.name)

    def held(self, table: sa.Table, number: int) -> None:
        """Raise RowsMoved where the statement met another number of rows than was found.

        PostgreSQL shows each statement what was committed until it began (READ COMMITTED): another transaction's row may be
        there for the statement and not have been there for whoever looked. The act is undone and may be done again.
        """
        if number != self._met:
            raise RowsMoved(table=table.name)

    def undone(self) -> None:
        """Note that a part of the transaction was undone: nothing is there only because it was given."""
        for known in self._keys.values():
            known.update((key, _former(said)) for key, said in known.items())

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
        for name in list(self._keys):
            for follower, keys in shape_of(self._tables[name]).followed(connection, self._keys[name]):
                if follower in self._tables:
                    self.add(self._tables[follower], keys)
        if not self._keys and not self._begun:
            return None
        salts = memoryview(randomness.token(SALT * sum(map(len, self._keys.values())))).toreadonly()
        found: list[tuple[str, str, str, bytes | None]] = [(name, "", "", None) for name in self._begun]
        former: list[dict[str, str]] = []
        at = 0
        for name, noted in self._keys.items():
            shape, of = (
                shape_of(self._tables[name]),
                str(name),
            )  # a driver asks long what another kind of text is
            now = shape.read(connection, [key for key, known in noted.items() if isinstance(known, bool)])
            for key, known in noted.items():
                text = shape.spelt(key)
                if _former(known):
                    former.append({"table": of, "row": text})
                values = now.get(key) if isinstance(known, bool) else known
                if values is None:
                    found.append((of, text, "", None))
                else:
                    salt = bytes(salts[at : at + SALT])
                    found.append((of, text, shape.digest(values, salt), salt))
                at += SALT
        found.sort(key=_PLACE)
        if former:
            _SUPERSEDE.run_many(connection, former)
        _STATE.run_many(
            connection,
            [
                {"entry": entry, "number": number, "of": of, "key": key, "digest": digest, "salt": salt}
                for number, (of, key, digest, salt) in enumerate(found)
            ],
        )
        return committed(each[:3] for each in found)

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
            keys = [tuple(each[name] for name in names) for each in given]
        else:
            keys = [tuple(each or ()) for each in result.inserted_primary_key_rows]
        self.new(table, statement, keys)


def _former(known: bool | Sequence[Any]) -> bool:  # noqa: FBT001 - what is known of a row
    """Whether an act before this one may have said something of the row."""
    return known is True or type(known) is _Restated


def state(connection: sa.Connection, entry: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write statements about rows, in the order in which the entry commits to them; each is the newest about its row from now on."""
    _SUPERSEDE.run_many(connection, [{"table": each["of"], "row": each["key"]} for each in rows])
    _STATE.run_many(connection, [{"entry": entry, "number": at, **each} for at, each in enumerate(rows)])


def committed(rows: Iterable[tuple[str, str, str]]) -> str:
    """What an entry commits to: the digest of table, key and digest of each row, in their order."""
    quoted = canonical.quoted
    said = [f"[{quoted(of)},{quoted(key)},{quoted(digest)}]" for of, key, digest in rows]
    return INTL.hash.digest(f"[{','.join(said)}]".encode()).hex()


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

    def undone(connection: Any, _name: object, _context: object) -> None:
        if (changed := connection.get_execution_options().get(ROWS)) is not None:
            changed.undone()

    sa.event.listen(engine, "rollback_savepoint", undone)
    sa.event.listen(engine, "before_execute", before)
    sa.event.listen(engine, "after_execute", after)
