"""Who makes the next list of a line, so that two processes seldom do the same work.

The lease is for economy, not for safety: whoever waits in vain goes ahead without one, and the number of the list,
unique in the database, lets one of two win. So a process that died with the lease holds nobody up. Nor is the disk waited
for: a lease that a power cut takes back was its process's, which is gone too.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa

from ca.context import Context
from ca.status.line import Line
from ca.status.models import LeaseRow

#: how long a list may take to make before another may begin
LEASE = timedelta(seconds=10)
#: seconds that another's list is waited for, and between two looks
PATIENCE = 1.0
_LOOK = 0.005


@contextmanager
def leased(ctx: Context, line: Line) -> Iterator[None]:
    """Hold the lease of a line, or have waited for it long enough."""
    holder = ctx.store.identifier()
    given_up = time.monotonic() + PATIENCE
    while not _take(ctx, line, holder) and time.monotonic() < given_up:
        time.sleep(_LOOK)
    try:
        yield
    finally:
        with ctx.store.housekeep(lasting=False) as session:
            mine = sa.update(LeaseRow).where(*_row(line), LeaseRow.holder == holder)
            session.execute(mine.values(holder=None, until=None))


def _take(ctx: Context, line: Line, holder: str) -> bool:
    now = ctx.store.clock.now()
    free = sa.or_(LeaseRow.until.is_(None), LeaseRow.until < now)
    taking = sa.update(LeaseRow).where(*_row(line), free).values(holder=holder, until=now + LEASE)
    with ctx.store.read() as session:
        row = session.get(LeaseRow, (line.authority, line.shard))
        if row is not None and row.until is not None and row.until >= now:
            return False
    try:
        with ctx.store.housekeep(lasting=False) as session:
            if row is None:
                session.add(
                    LeaseRow(authority=line.authority, shard=line.shard, holder=holder, until=now + LEASE)
                )
                return True
            return bool(session.execute(taking).rowcount)  # type: ignore[attr-defined]
    except sa.exc.IntegrityError:
        return False


def _row(line: Line) -> tuple[sa.ColumnElement[bool], ...]:
    return LeaseRow.authority == line.authority, LeaseRow.shard == line.shard
