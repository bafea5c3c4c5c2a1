"""The numbers of records: each source counts its own without a gap, so that a record which never reaches the log is missed.

A source is one writer of the outbox at a time: `writer-1`, and as many more as have ever written at once. On SQLite, where
writers take turns, there is one. Who records takes the first that nobody else holds, for the rest of its transaction, and
nobody waits for anybody. Names are given out in turn and come again: a counter that somebody removes begins anew, and
its numbers are doubled.

Whoever may write to the database can turn a counter back. The process therefore remembers what it has committed
durably, and goes on from there.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.act import Event
from yinxin.store._base import LONG, Base
from yinxin.store._prepared import Sql


class SourceRow(Base):
    """A source of records, and the number of its last one."""

    __tablename__ = "outbox_source"

    source: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(LONG)


_SOURCES = cast("sa.Table", SourceRow.__table__)
_FREE = (
    sa.select(_SOURCES.c.source).order_by(_SOURCES.c.source).limit(1).with_for_update(skip_locked=True)
).scalar_subquery()
_NEXT = sa.select(sa.func.coalesce(sa.func.max(_SOURCES.c.source), 0) + 1, sa.literal(0))


def _take(source: Any) -> Sql:
    count = sa.bindparam("count", type_=sa.Integer())
    counted = sa.update(_SOURCES).where(_SOURCES.c.source == source).values(last=_SOURCES.c.last + count)
    return Sql(counted.returning(_SOURCES.c.source, _SOURCES.c.last))


#: by dialect: count on in a source that is free, and add a source
_TAKE = {"sqlite": _take(1), "postgresql": _take(_FREE)}
_ADD: Mapping[str, sa.Insert] = {
    "sqlite": sa.insert(_SOURCES).values(source=1, last=0),
    # two that add the same one at once are both content, and look again
    "postgresql": postgresql.insert(_SOURCES).from_select(["source", "last"], _NEXT).on_conflict_do_nothing(),
}
_SET = (
    sa.update(_SOURCES)
    .where(_SOURCES.c.source == sa.bindparam("of"))
    .values(last=sa.bindparam("to", type_=LONG))
)


@dataclass(frozen=True, slots=True)
class Taken:
    """Numbers of one source, up to `last`, for the records of one transaction."""

    source: int
    first: int
    last: int

    def number(self, record: Event, at: int = 0) -> Event:
        """The record with the number at that place."""
        return record.numbered(name_of(self.source), self.first + at)


class Numbering:
    """The numbers that one process has taken; shared by its threads."""

    def __init__(self) -> None:
        self._durable: dict[int, int] = {}
        self._changing = threading.Lock()

    def take(self, connection: sa.Connection, count: int) -> Taken:
        """The next `count` numbers of a source that is this transaction's until it ends."""
        dialect = connection.dialect.name
        while (row := _TAKE[dialect].first(connection, {"count": count})) is None:
            connection.execute(_ADD[dialect])
        source, last = row
        known = self._durable.get(source, 0)
        if last - count < known:  # turned back: whoever did it must not have numbers come again
            last = known + count
            connection.execute(_SET, {"of": source, "to": last})
        return Taken(source, last - count + 1, last)

    def committed(self, taken: Taken) -> None:
        """They are durable: no power cut takes them back."""
        with self._changing:
            self._durable[taken.source] = max(taken.last, self._durable.get(taken.source, 0))


def name_of(source: int) -> str:
    """A source as it stands in its records."""
    return f"writer-{source}"
