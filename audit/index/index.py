"""Bringing the index up to the log: what has been entered since, in order, a batch a transaction.

The index is behind the log for a moment, never beside it: whoever asks brings it up first. It is written without waiting
for the disk, because whatever a power cut takes of it is made again from the log.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from audit.index.errors import IndexBehind
from audit.index.models import IndexedRow, PostingRow, SpanRow
from audit.index.terms import terms_of_data
from audit.models import EntryRow
from audit.tree import log_size
from yinxin.store import Instant, Sql, Store, Within

#: entries indexed in one transaction: some ten milliseconds of work
BATCH = 1000
#: transactions that somebody who asks waits for; a backlog beyond it is the background's work
_PATIENCE = 20
#: entries between two rows of `audit_span`
_SPAN = 256
_MICROSECOND = timedelta(microseconds=1)
_ENTRIES, _INDEXED = (cast("sa.Table", each.__table__).c for each in (EntryRow, IndexedRow))
_FOUND = Sql(
    sa.select(_ENTRIES.index, _ENTRIES.time, _ENTRIES.data)
    .where(_ENTRIES.index >= sa.bindparam("first", type_=sa.BigInteger))
    .order_by(_ENTRIES.index)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)
_POSTING, _SPANS = (
    Sql(sa.insert(table).inline(), *table.c.keys())
    for table in (cast("sa.Table", each.__table__) for each in (PostingRow, SpanRow))
)
_REACHED = Sql(sa.select(_INDEXED.size, _INDEXED.reached, _INDEXED.lag).with_for_update())
_SIZE = Sql(sa.select(_INDEXED.size))
_REACH = Sql(
    sa.update(cast("sa.Table", IndexedRow.__table__)).values(
        size=sa.bindparam("to", type_=sa.BigInteger),
        reached=sa.bindparam("until", type_=Instant()),
        lag=sa.bindparam("behind", type_=sa.BigInteger),
    )
)


class Index:
    """The search index of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def catch_up(self) -> int:
        """Index everything that is in the log; the number of entries taken up. For the background."""
        taken = 0
        while count := self._batch():
            taken += count
        return taken

    def current(self) -> None:
        """Be as far as the log, for an answer; raises IndexBehind when that is too much to wait for.

        Where nothing is missing nothing is written. The end of the log is looked at once: what is entered meanwhile
        belongs to the next question.
        """
        with self._store.read() as session:
            size, indexed = log_size(session), _indexed(session)
        for _ in range(_PATIENCE):
            if indexed >= size:
                return
            self._batch()
            with self._store.read() as session:
                indexed = _indexed(session)
        if indexed < size:
            raise IndexBehind(indexed=indexed, size=size)

    def rebuild(self) -> int:
        """Make the index anew from the log; the number of entries."""
        with self._store.housekeep() as session:
            for table in (PostingRow, SpanRow, IndexedRow):
                session.execute(sa.delete(table))
        return self.catch_up()

    def _batch(self) -> int:
        with self._store.housekeep(lasting=False) as session:
            connection = session.connection()
            size, reached, lag = _locked(connection)
            found = _FOUND.all(connection, {"first": size, "most": BATCH})
            if found:
                _take(connection, found, reached, lag)
            return len(found)


def _indexed(within: Within) -> int:
    """How many entries the index has; none before the first."""
    return next(iter(_SIZE.scalars(within, {})), 0)


def _locked(connection: sa.Connection) -> tuple[int, datetime | None, int]:
    """How far the index is, held by this transaction until it ends."""
    while (row := _REACHED.first(connection, {})) is None:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(IndexedRow).values(id=1, size=0, lag=0).on_conflict_do_nothing())
    return row.size, row.reached, row.lag


def _take(
    connection: sa.Connection,
    entries: Sequence[tuple[int, datetime, bytes]],
    reached: datetime | None,
    lag: int,
) -> None:
    """The terms of these entries, which follow those that are indexed.

    In the order of the table, so that its pages are each sought once.
    """
    postings: list[tuple[int, int]] = []
    spans: list[dict[str, Any]] = []
    for index, time, data in entries:
        if reached is None:
            reached = time
        elif index % _SPAN == 0:
            spans.append({"index": index, "reached": reached})
        if time < reached:
            lag = max(lag, (reached - time) // _MICROSECOND)
        else:
            reached = time
        postings += [(each, index) for each in terms_of_data(data)]
    postings.sort()
    _POSTING.run_many(connection, [{"term": term, "index": index} for term, index in postings])
    if spans:
        _SPANS.run_many(connection, spans)
    _REACH.run(connection, {"to": entries[-1][0] + 1, "until": reached, "behind": lag})


def window(session: Session, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Indexes [first, end) outside of which no entry has a time within [since, until).

    Two look-ups. Exact whatever the clocks did: an entry's time is no further behind those before it than `lag`.
    """
    row = session.get(IndexedRow, 1)
    if row is None:
        return 0, 0
    first, end = 0, row.size
    if since is not None:
        before = sa.select(SpanRow.index).where(SpanRow.reached < since)
        first = (
            session.scalar(before.order_by(SpanRow.reached.desc(), SpanRow.index.desc()).limit(1)) or first
        )
    if until is not None:
        after = sa.select(SpanRow.index).where(SpanRow.reached >= until + row.lag * _MICROSECOND)
        past = session.scalar(after.order_by(SpanRow.reached, SpanRow.index).limit(1))
        end = end if past is None else past
    return first, end
