"""An upgrade that changes what rows say, put on record: what the log says of them is said anew, and of those alone that were as the log said.

Before anything is changed, the rows of the tables that a migration names are held against what acts said of them; after it, those that held are
stated as they are now, in the migration's own transaction. A row that somebody had altered, put in or taken out past the platform is left
as it is: the log goes on naming it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from yinxin.act import SYSTEM
from yinxin.store._act import Store
from yinxin.store._begun import Act
from yinxin.store._prepared import Sql
from yinxin.store._rows import SALT, RecordedRow, committed, state
from yinxin.store._shape import Shape, shape_of

_ROW = cast("sa.Table", RecordedRow.__table__)
_NEWEST = Sql(
    sa.select(_ROW.c.digest, _ROW.c.salt).where(
        _ROW.c.of == sa.bindparam("table"), _ROW.c.key == sa.bindparam("row"), _ROW.c.salt.is_not(None)
    )
)


class KeysChanged(RuntimeError):
    """Rows of a table do not hold, and what they are found by is about to change: nobody could tell any more which they were."""


@dataclass(frozen=True, slots=True)
class Held:
    """A table before an upgrade: by key, the rows that were not as the log said, and those that it had and the table had not."""

    name: str
    key: tuple[str, ...]
    altered: frozenset[str]
    missing: frozenset[str]


def accounted_now(connection: sa.Connection, names: Sequence[str]) -> list[str]:
    """Those of the tables for which the log accounts already."""
    if not sa.inspect(connection).has_table(_ROW.name):
        return []
    marked = sa.select(_ROW.c.of).where(_ROW.c.of.in_(names), _ROW.c.key == "")
    return sorted(set(connection.execute(marked).scalars()))


def held(connection: sa.Connection, table: sa.Table) -> Held:
    """The rows of `table`, which has the columns that the database has now, held against the newest statement about each."""
    shape, altered, there = Shape(table), set(), set()
    for key, row in shape.every(connection):
        there.add(key)
        said = _NEWEST.all(connection, {"table": table.name, "row": key})
        if len(said) != 1 or shape.digest(row, said[0].salt) != said[0].digest:
            altered.add(key)
    names = tuple(each.name for each in table.primary_key.columns)
    return Held(table.name, names, frozenset(altered), frozenset(_stated(connection, table.name) - there))


def restate(
    store: Store,
    connection: sa.Connection,
    verb: str,
    tables: Sequence[tuple[Held, sa.Table]],
    facts: Mapping[str, Any],
) -> Act:
    """Record what the rows that held say now, within the upgrade's transaction, as an act of the platform itself; the record.

    The record says of each table how many rows were stated anew, how many the upgrade took out, and how many were left because they had not
    held. Raises KeysChanged.
    """
    act = Act(store.identifier(), SYSTEM, verb, "tables", connection, facts=dict(facts))
    found: list[dict[str, Any]] = []
    counts = []
    for before, table in tables:
        stated, removed = _anew(store, connection, before, table)
        found += stated
        counts.append(
            {
                "table": table.name,
                "rows": len(stated) - removed,
                "removed": removed,
                "left": len(before.altered | before.missing),
            }
        )
    act.facts["tables"] = counts
    found.sort(key=lambda each: (each["of"], each["key"]))
    state(connection, act.id, found)
    act.rows = committed((each["of"], each["key"], each["digest"]) for each in found)
    # the transaction is the upgrade's: it changes rows before anything may act
    store._record(connection, store._event(act, act.outcome))  # noqa: SLF001 - the store's own room
    return act


def _anew(
    store: Store, connection: sa.Connection, before: Held, table: sa.Table
) -> tuple[list[dict[str, Any]], int]:
    """The statements about one table as it is now, and how many of them say that a row was taken out."""
    names = tuple(each.name for each in table.primary_key.columns)
    if names != before.key and before.altered | before.missing:
        raise KeysChanged(table.name)
    shape, there = shape_of(table), set()
    found: list[dict[str, Any]] = []
    for key, row in shape.every(connection):
        there.add(key)
        if key not in before.altered:
            salt = store.randomness.token(SALT)
            found.append({"of": table.name, "key": key, "digest": shape.digest(row, salt), "salt": salt})
    gone = sorted(_stated(connection, table.name) - there - before.missing)
    found += [{"of": table.name, "key": key, "digest": "", "salt": None} for key in gone]
    return found, len(gone)


def _stated(connection: sa.Connection, name: str) -> set[str]:
    """The keys of the rows that a table has, by the newest statements."""
    query = sa.select(_ROW.c.key).where(_ROW.c.of == name, _ROW.c.salt.is_not(None))
    return set(connection.execute(query).scalars())
