"""Background work with leases, in the database that the work is about.

A job is enqueued inside the act that wants it, so it exists exactly when the act does. A worker claims one job by a
lease; a worker that dies loses the lease and the job runs again: handlers must be safe to repeat. Periodic work is a
row that is never finished, only put off to its next time, so that one process at a time does it.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from yinxin.store._act import Store
from yinxin.store._alone import alone
from yinxin.store._base import Base, housekeeping
from yinxin.store._prepared import Sql, Within, listed

_log = logging.getLogger("yinxin.jobs")

#: how long a worker may hold a job before another takes it
LEASE = timedelta(minutes=5)
#: first wait after a failure; doubled each time up to an hour
BACKOFF = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)

#: jobs that one look finds
_AT_ONCE = 16

Handler = Callable[[Mapping[str, Any]], object]


class Queue(Base):
    """A job: `key` makes enqueuing idempotent; `every` (seconds) makes it periodic."""

    __tablename__ = "job"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(80))
    payload: Mapped[dict[str, Any]]
    due: Mapped[datetime] = mapped_column(index=True)
    every: Mapped[int | None]
    leased_until: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(sa.String(40))
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(sa.String(400))
    last_done: Mapped[datetime | None]


_JOB = cast("sa.Table", Queue.__table__)
_FREE = sa.or_(_JOB.c.leased_until.is_(None), _JOB.c.leased_until < sa.bindparam("now"))
#: asked ten times a second under load, as are those below
_DUE = Sql(
    sa.select(_JOB.c.key, _JOB.c.kind, _JOB.c.payload, _JOB.c.due, _JOB.c.every, _JOB.c.attempts)
    .where(_JOB.c.due <= sa.bindparam("now"), _FREE, listed(_JOB.c.kind, "kinds"))
    .order_by(_JOB.c.due)
    .limit(_AT_ONCE)
)
_TAKE = Sql(
    sa.update(_JOB)
    .where(_JOB.c.key == sa.bindparam("of"), _JOB.c.due == sa.bindparam("was_due"), _FREE)
    .values(
        lease=sa.bindparam("holder"), leased_until=sa.bindparam("until"), attempts=sa.bindparam("attempt")
    )
)
_HELD = (_JOB.c.key == sa.bindparam("of"), _JOB.c.lease == sa.bindparam("holder"))
_LET_GO = sa.update(_JOB).where(*_HELD).values(lease=None, leased_until=None, due=sa.bindparam("again"))
_PUT_OFF = Sql(_LET_GO.values(last_error=sa.bindparam("failure")))
_DONE = Sql(_LET_GO.values(attempts=0, last_error=None, last_done=sa.bindparam("at")))
_ENDED = Sql(sa.delete(_JOB).where(*_HELD))
_FREED = sa.update(_JOB).where(_JOB.c.lease.is_not(None)).values(lease=None, leased_until=None)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A job that is leased to this worker, as it stood then."""

    lease: str
    key: str
    kind: str
    payload: Mapping[str, Any]
    every: int | None
    #: this one included
    attempts: int


@dataclass(frozen=True, slots=True)
class _Ended:
    """A job that was run, and what made it fail, if it did."""

    claimed: _Claimed
    failure: str | None


class Jobs:
    """The job table and the handlers of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._handlers: dict[str, Handler] = {}

    def handle(self, kind: str, handler: Handler) -> None:
        """Let this process run jobs of `kind`."""
        self._handlers[kind] = handler

    def enqueue(self, session: Session, kind: str, key: str, payload: Mapping[str, Any]) -> None:
        """Add a job within the caller's transaction; a second one of the same key changes nothing."""
        self._add(session, key=key, kind=kind, payload=dict(payload))

    def _add(self, session: Session, **values: Any) -> None:
        """Two that add the same job at once are both content."""
        row = {"due": self._store.clock.now(), "attempts": 0, **values}
        if session.get_bind().dialect.name == "postgresql":
            session.execute(postgresql.insert(Queue).values(row).on_conflict_do_nothing())
        else:
            session.execute(sqlite.insert(Queue).values(row).on_conflict_do_nothing())

    def periodic(self, name: str, every: timedelta, run: Callable[[], object]) -> None:
        """Run `run` every `every`, in one process at a time."""
        self.handle(name, lambda _payload: run())
        seconds = max(1, int(every.total_seconds()))
        with self._store.housekeep() as session:
            self._add(session, key=name, kind=name, payload={}, every=seconds)
            session.execute(sa.update(Queue).where(Queue.key == name).values(every=seconds))

    @contextmanager
    def attended(self) -> Iterator[None]:
        """For as long as a worker runs jobs here. While it is the only one, whoever holds a lease is dead, and its jobs are free at once."""
        with alone(self._store.engine, "jobs") as only:
            if only:
                with self._store.housekeep(lasting=False) as session:
                    session.connection().execute(_FREED)
            yield

    def run_due(self) -> int:
        """Do everything that is due now; the number of jobs run. A failing job is put off, never lost."""
        count, ended = 0, None
        while due := self._due():
            for row in due:
                if (claimed := self._claim(row, ended)) is None:
                    ended = None
                    continue  # another worker was first
                count += 1
                ended = _Ended(claimed, self._run(claimed))
            if ended is not None:
                with self._store.jot() as within:
                    self._settle(within, ended)
                ended = None
        return count

    def _due(self) -> list[Any]:
        """What is due, and leased to nobody. Nothing is written while nothing is, and no lock is taken."""
        now = self._store.clock.now()
        with self._store.look() as look:
            return _DUE.all(look, {"now": now, "kinds": list(self._handlers)})

    def _claim(self, row: Any, ended: _Ended | None) -> _Claimed | None:
        """Lease a job that was due to this worker, and end the lease of the one before it; None where it is due no more."""
        now = self._store.clock.now()
        found = _Claimed(
            self._store.identifier(), row.key, row.kind, row.payload, row.every, row.attempts + 1
        )
        taken = {"holder": found.lease, "until": now + LEASE, "attempt": found.attempts}
        same = {"of": row.key, "was_due": row.due, "now": now}
        # a lease, and its end, that a power cut takes back: the job runs again
        with self._store.jot() as within:
            if ended is not None:
                self._settle(within, ended)
            return found if _TAKE.run(within, taken | same) == 1 else None

    def _run(self, claimed: _Claimed) -> str | None:
        """What made it fail; None where it was done."""
        try:
            self._handlers[claimed.kind](dict(claimed.payload))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the job is put off and the worker lives
            _log.exception("job %s failed", claimed.key)
            return f"{type(error).__name__}: {error}"[:400]
        return None

    def _settle(self, within: Within, ended: _Ended) -> None:
        """End the lease; where it ran out and another worker has the job, nothing."""
        now, claimed = self._store.clock.now(), ended.claimed
        held = {"of": claimed.key, "holder": claimed.lease}
        if ended.failure is not None:
            wait = min(BACKOFF * 2 ** min(claimed.attempts - 1, 10), LONGEST_WAIT)
            _PUT_OFF.run(within, held | {"failure": ended.failure, "again": now + wait})
        elif claimed.every is None:
            _ENDED.run(within, held)
        else:
            again = now + timedelta(seconds=claimed.every)
            _DONE.run(within, held | {"at": now, "again": again})
