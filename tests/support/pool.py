"""PostgreSQL's databases with the product's tables, lent to one test after another.

Making such a database takes a second of work, clearing it a twentieth. A test that only wrote rows gives its database back:
tables of its own are dropped, triggers switched on, rows deleted, sequences begin anew, and the rows that a new database
has are put back. Then the catalogue is compared with what it was. Whatever differs, a column or a function
more, a trigger less, statistics: that database is dropped, and the next test has a new one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Identifier

from yinxin.store import Base, open_engine

from .postgres import PostgresServer

#: what a database's users define has a number from here on (FirstNormalObjectId)
_OURS = 16384
#: the catalogues in which whoever changes a line leaves his transaction's number
_DEFINITIONS = (
    "attrdef",
    "cast",
    "collation",
    "constraint",
    "event_trigger",
    "extension",
    "operator",
    "policy",
    "proc",
    "rewrite",
    "statistic_ext",
    "type",
)
#: a line for everything that is defined. A truncated table has other files and a new line in pg_class: that is read by what
#: it says.
_CATALOGUE = f"""
SELECT string_agg(line, ';' ORDER BY line) FROM (
    SELECT concat_ws(',', oid, relname, relnamespace, relkind, relowner, relnatts, relchecks, relhasrules, relhastriggers,
                     relrowsecurity, relpersistence, relreplident, reloptions, relacl) AS line
    FROM pg_class WHERE oid >= {_OURS} AND relnamespace <> 'pg_toast'::regnamespace
    UNION ALL SELECT concat_ws(',', 'namespace', oid, xmin) FROM pg_namespace
    UNION ALL SELECT concat_ws(',', 'column', attrelid, attnum, a.xmin) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
              WHERE attrelid >= {_OURS} AND relnamespace <> 'pg_toast'::regnamespace
    UNION ALL SELECT concat_ws(',', 'statistic', starelid, staattnum, xmin) FROM pg_statistic WHERE starelid >= {_OURS}
    UNION ALL SELECT concat_ws(',', 'trigger', oid, tgrelid, tgname, tgfoid, tgtype, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(',', 'setting', setdatabase, setrole, xmin) FROM pg_db_role_setting
    {" ".join(f"UNION ALL SELECT concat_ws(',', '{each}', oid, xmin) FROM pg_{each} WHERE oid >= {_OURS}" for each in _DEFINITIONS)}
) AS everything"""  # noqa: S608 - constants of this file
_TABLES = """
SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
#: octets up to which a table's rows are deleted: truncating makes new files for it and each of its indexes
_SMALL = 256 << 10
#: what was taken from a sequence that no truncated table owns
_SEQUENCES = """
SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL"""
_SWITCHED_OFF = (
    "SELECT DISTINCT relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE tgenabled = 'D'"
)
#: neither what guards a table against its own application nor what follows from a change happens in this transaction
_UNGUARDED = "SET LOCAL session_replication_role = replica"

#: by table, its rows as COPY writes them
Contents = Mapping[str, bytes]


@dataclass(frozen=True)
class Made:
    """A database as it was when new: its tables, the rows in them, and the catalogue."""

    name: str
    tables: frozenset[str]
    contents: Contents
    catalogue: str


class Pool:
    """Databases of one server; `made` counts those that were made so far."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.made = 0
        self._free: list[Made] = []

    @contextmanager
    def lent(self, contents: Contents | None = None) -> Iterator[str]:
        """The name of a database with every table that is defined so far, and with a new one's rows or `contents`."""
        free = next((each for each in self._free if each.tables >= {*Base.metadata.tables}), None)
        if free:
            self._free.remove(free)
        lent = free or self._make()
        if contents:
            with self.server.connect(lent.name) as connection, connection.transaction():
                connection.execute(_UNGUARDED)
                _fill(connection, contents)
        yield lent.name
        if not self.server.left_open(lent.name) and self._cleared(lent):
            self._free.append(lent)
        else:
            self.server.drop_database(lent.name)

    def contents(self, name: str) -> Contents:
        """What is in the tables of a database, to be lent with it."""
        with self.server.connect(name) as connection:
            return {
                table: rows
                for table, size in connection.execute(_TABLES).fetchall()
                if size and (rows := _rows(connection, table))
            }

    def _make(self) -> Made:
        name = self.server.create_database()
        self.made += 1
        engine = open_engine(self.server.url(name))
        Base.metadata.create_all(engine)
        engine.dispose()
        with self.server.connect(name) as connection:
            tables = frozenset(table for table, _ in connection.execute(_TABLES).fetchall())
            return Made(name, tables, self.contents(name), _catalogue(connection))

    def _cleared(self, made: Made) -> bool:
        with self.server.connect(made.name) as connection, connection.transaction():
            connection.execute(_UNGUARDED)
            tables = dict(connection.execute(_TABLES).fetchall())
            for table in tables.keys() - made.tables:
                connection.execute(SQL("DROP TABLE {} CASCADE").format(Identifier(table)))
            for (table,) in connection.execute(_SWITCHED_OFF).fetchall():
                connection.execute(SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(Identifier(table)))
            used = [table for table in tables.keys() & made.tables if tables[table]]
            for table in (each for each in used if tables[each] <= _SMALL):
                connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
            if large := [Identifier(each) for each in used if tables[each] > _SMALL]:
                connection.execute(SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(SQL(", ").join(large)))
            connection.execute(_SEQUENCES)
            _fill(connection, made.contents)
            return _catalogue(connection) == made.catalogue


def _catalogue(connection: psycopg.Connection) -> str:
    (line,) = connection.execute(_CATALOGUE).fetchone() or ("",)
    return str(line)


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(SQL("COPY {} TO STDOUT").format(Identifier(table))) as copy:
        return b"".join(map(bytes, copy))


def _fill(connection: psycopg.Connection, contents: Contents) -> None:
    for table, rows in contents.items():
        connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
        with connection.cursor().copy(SQL("COPY {} FROM STDIN").format(Identifier(table))) as copy:
            copy.write(rows)
