"""Background work with leases, in the database that the work is about.

A job is enqueued inside the act that wants it, so it exists exactly when the act does. A worker claims one job by a
lease; a worker that dies loses the lease and the job runs again: handlers must be safe to repeat. Periodic work is a
row that is never finished, only put off to its next time, so that one process at a time does it.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from yinxin.store._act import Store
from yinxin.store._base import Base, housekeeping

_log = logging.getLogger("yinxin.jobs")

#: how long a worker may hold a job before another takes it
LEASE = timedelta(minutes=5)
#: first wait after a failure; doubled each time up to an hour
BACKOFF = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)

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

    def run_due(self) -> int:
        """Do everything that is due now; the number of jobs run. A failing job is put off, never lost."""
        count = 0
        while (claimed := self._claim()) is not None:
            count += 1
            self._run(*claimed)
        return count

    def _claim(self) -> tuple[str, str, str, Mapping[str, Any]] | None:
        now = self._store.clock.now()
        lease = self._store.identifier()
        free = sa.or_(Queue.leased_until.is_(None), Queue.leased_until < now)
        # a lease, and its end, that a power cut takes back: the job runs again
        with self._store.housekeep(lasting=False) as session:
            row = session.scalars(
                sa.select(Queue)
                .where(Queue.due <= now, free, Queue.kind.in_(self._handlers))
                .order_by(Queue.due)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if row is None:
                return None
            row.lease, row.leased_until, row.attempts = lease, now + LEASE, row.attempts + 1
            return lease, row.key, row.kind, dict(row.payload)

    def _run(self, lease: str, key: str, kind: str, payload: Mapping[str, Any]) -> None:
        try:
            self._handlers[kind](payload)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the job is put off and the worker lives
            _log.exception("job %s failed", key)
            self._settle(lease, key, failure=f"{type(error).__name__}: {error}"[:400])
        else:
            self._settle(lease, key, failure=None)

    def _settle(self, lease: str, key: str, *, failure: str | None) -> None:
        now = self._store.clock.now()
        with self._store.housekeep(lasting=False) as session:
            row = session.get(Queue, key)
            if row is None or row.lease != lease:
                return  # the lease ran out and another worker has it
            row.lease = row.leased_until = None
            row.last_error = failure
            if failure is not None:
                row.due = now + min(BACKOFF * 2 ** min(row.attempts - 1, 10), LONGEST_WAIT)
            elif row.every is None:
                session.delete(row)
            else:
                row.attempts, row.last_done = 0, now
                row.due = now + timedelta(seconds=row.every)
