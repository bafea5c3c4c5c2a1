"""Every row of the tables that the log accounts for, held against what the entries of acts say of it (`yinxin.store`).

The entry of an act commits to what became of the rows that the act changed. So a row that was altered, put in or taken out
behind the platform's back is named, with its table, whichever module's it is and whatever else was made to fit.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.decisions import REMOVED
from audit.errors import StateBroken
from audit.models import EntryRow
from yinxin import canonical
from yinxin.errors import YinxinError
from yinxin.store import OutboxRow, RecordedRow, committed, shape_of
from yinxin.text import Text

#: the record of rows that were there before the log accounted for their table
TAKE_STOCK = "audit.take-stock"
#: the record of rows that an upgrade changed (`ops.restating`)
RESTATE = "audit.restate-rows"
#: how an event says that it commits to rows; looked for before it is decoded
_SAYS = b'"rows":"'
_UNRECORDED = Text("日志中没有哪一操作写入过这一行", "no act in the log has written it")
_ALTERED = Text("与最近一次操作在日志中所载的不同", "it is not what the newest act about it left, by the log")
_STATEMENTS = Text("各操作所改的行", "the rows that acts changed")
_UNSAID = Text("与该记录在日志中的承诺不符", "it is not what that entry commits to")
#: table, key, digest, salt
_Said = tuple[str, str, str, bytes | None]


class AccountedRows:
    """What the entries of one log say of rows, in their order: the newest of each row, kept in a file of its own while it is asked."""

    def __init__(self, session: Session, tables: Mapping[str, sa.Table]) -> None:
        self._session = session
        self._tables = tables
        # a database without a name lies on the disk as far as it outgrows its cache, and goes with its connection
        self._newest = sqlite3.connect("")
        self._newest.execute(
            "CREATE TABLE newest (of TEXT, key TEXT, digest TEXT, salt BLOB, PRIMARY KEY (of, key)) WITHOUT ROWID"
        )
        #: rows that were held
        self.held = 0

    def take(self, rows: Sequence[EntryRow]) -> None:
        """Hold what stands beside these entries against them; raises StateBroken."""
        self._take([row.data for row in rows])

    def end(self) -> None:
        """Take what is still on its way into the log, then hold every table against it all; raises StateBroken."""
        with closing(self._newest):
            self._take(self._session.scalars(sa.select(OutboxRow.data).order_by(OutboxRow.number)))
            for name in sorted(self._tables):
                self.hold(self._session, self._tables[name])

    def hold(self, session: Session, table: sa.Table) -> None:
        """Hold the rows of one table, as this session sees it, against what was taken; raises StateBroken."""
        shape, name = shape_of(table), Text(table.name, table.name)
        there = 0
        for key, row in shape.every(session.connection()):
            said = self._newest.execute(
                "SELECT digest, salt FROM newest WHERE of = ? AND key = ?", (table.name, key)
            ).fetchone()
            if said is None or not said[0]:
                raise StateBroken(table=name, row=key, reason=_UNRECORDED)
            if said[1] is None or shape.digest(row, said[1]) != said[0]:
                raise StateBroken(table=name, row=key, reason=_ALTERED)
            there += 1
        left = "FROM newest WHERE of = ? AND digest <> ''"
        (due,) = self._newest.execute(f"SELECT count(*) {left}", (table.name,)).fetchone()
        if due != there:
            keys = {key for key, _ in shape.every(session.connection())}
            for (key,) in self._newest.execute(f"SELECT key {left} ORDER BY key", (table.name,)):
                if key not in keys:
                    raise StateBroken(table=name, row=key, reason=REMOVED)
        self.held += there

    # --- inside ------------------------------------------------------------------------------------------------

    def _take(self, events: Iterable[bytes]) -> None:
        said: dict[str, str] = {}
        for data in events:
            if _SAYS not in data:
                continue
            try:
                event = canonical.decode(data)
            except YinxinError:
                continue  # on its way, and unreadable: the sequencer will say so
            if isinstance(event.get("rows"), str):
                said[event["id"]] = event["rows"]
        if not said:
            return
        beside: dict[str, list[_Said]] = {entry: [] for entry in said}
        row = RecordedRow
        query = sa.select(row.entry, row.of, row.key, row.digest, row.salt)
        found = self._session.execute(query.where(row.entry.in_(said)).order_by(row.number))
        for entry, of, key, digest, salt in found:
            beside[entry].append((of, key, digest, salt))
        for entry, rows in beside.items():
            if committed((of, key, digest) for of, key, digest, _ in rows) != said[entry]:
                raise StateBroken(table=_STATEMENTS, row=entry, reason=_UNSAID)
            self._newest.executemany("INSERT OR REPLACE INTO newest VALUES (?, ?, ?, ?)", rows)
