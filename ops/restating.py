"""Rows that an upgrade changes, put on record by the upgrade itself (docs/audit/rows.md).

A migration that makes existing rows say something else names their tables: `restates = {"table": ()}`. Where a column that it drops or
renames is needed to read the rows as they were, and the database does not say its type as we do (instants, JSON), the column stands there:
`restates = {"table": (sa.Column("kept_until", Instant()),)}`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from audit.state.rows import RESTATE
from yinxin.store import Base, Held, accounted_now, held, restate

if TYPE_CHECKING:
    from alembic.config import Config

    from yinxin.store import Store

#: tables, each with the columns that it had and the code no longer knows
Former = Mapping[str, Sequence["sa.Column[object]"]]


class Restating:
    """One upgrade: made before the first migration runs, in the upgrade's transaction; `record` is called after the last."""

    def __init__(self, store: "Store", connection: sa.Connection, config: "Config") -> None:
        """Raises nothing for a database that is new, or older than the accounting of rows: there is nothing to say anew."""
        self._store, self._connection = store, connection
        script = ScriptDirectory.from_config(config)
        self._from = MigrationContext.configure(connection).get_current_revision()
        self._to = script.get_current_head()
        self._held: list[Held] = []
        if self._from is None or self._from == self._to:
            return
        named = _named(script, self._from, self._to or "head")
        for name in accounted_now(connection, sorted(named.keys() & store.accounted.keys())):
            self._held.append(held(connection, _as_it_is(connection, name, named[name])))

    def record(self) -> None:
        """Put the rows on record as they are now; raises KeysChanged."""
        if not self._held:
            return
        tables = [(each, self._store.accounted[each.name]) for each in self._held]
        schemas = {"from": self._from, "to": self._to}
        restate(self._store, self._connection, RESTATE, tables, schemas)


def _named(script: ScriptDirectory, since: str, until: str) -> Former:
    """The tables that the migrations after `since` say they change, with what these had; the first to speak of a table knows it as it is now."""
    found: dict[str, Sequence[sa.Column[object]]] = {}
    for revision in reversed(list(script.iterate_revisions(until, since))):
        for name, former in getattr(revision.module, "restates", {}).items():
            found[name] = (*found.get(name, ()), *former)
    return found


def _as_it_is(connection: sa.Connection, name: str, former: Sequence["sa.Column[object]"]) -> sa.Table:
    """The table with the columns that the database has: as the code knows them, as the migration says they were, or as the database does."""
    known = {each.name: each for each in (*Base.metadata.tables[name].columns, *former)}
    looked = sa.inspect(connection)
    key = looked.get_pk_constraint(name)["constrained_columns"]
    columns: list[sa.Column[object]] = []
    for each in looked.get_columns(name):
        like = known.get(each["name"])
        columns.append(
            sa.Column(
                each["name"],
                each["type"] if like is None else like.type,
                primary_key=each["name"] in key,
                server_default=None
                if like is None or like.server_default is None
                else like.server_default.arg,
            )
        )
    columns.sort(key=lambda each: key.index(each.name) if each.name in key else len(key))
    return sa.Table(name, sa.MetaData(), *columns)
