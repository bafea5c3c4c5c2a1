"""When a piece of work with a peer is due again: after a failure ever more seldom, up to once an hour."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange.errors import PeerUnreachable
from exchange.models import CourierRow
from yinxin.store import Store

_LONGEST = timedelta(hours=1)


class Couriers:
    """The clocks of sending, asking, reconciling and delivering, in the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def due(self, peer: str, work: str) -> bool:
        """Whether it may be done now."""
        with self._store.read() as session:
            row = session.get(CourierRow, (peer, work))
            return row is None or row.due <= self._store.clock.now()

    def resting(self, work: str) -> frozenset[str]:
        """The peers with which it may not be done now."""
        query = sa.select(CourierRow.peer).where(CourierRow.work == work)
        with self._store.read() as session:
            return frozenset(session.scalars(query.where(CourierRow.due > self._store.clock.now())))

    def heard(self, peer: str) -> None:
        """It has called, so it is there: what it could not be reached for is due now."""
        unreached = (
            CourierRow.peer == peer,
            CourierRow.error == PeerUnreachable.code,
            CourierRow.due > self._store.clock.now(),
        )
        with self._store.read() as session:
            if session.scalar(sa.select(CourierRow.work).where(*unreached).limit(1)) is None:
                return
        with self._store.housekeep(lasting=False) as session:
            session.execute(
                sa.update(CourierRow).where(*unreached).values(due=self._store.clock.now(), failures=0)
            )

    def done(self, peer: str, work: str, wait: timedelta) -> None:
        """It went well, and is due again after `wait`."""
        self._note(peer, work, wait, error=None)

    def failed(self, peer: str, work: str, error: str, wait: timedelta) -> None:
        """It failed with the error's code; `wait`, doubled with every failure in a row, is how long it rests."""
        self._note(peer, work, wait, error=error)

    def failures(self, peer: str, work: str) -> int:
        """How often it failed in a row."""
        with self._store.read() as session:
            row = session.get(CourierRow, (peer, work))
            return 0 if row is None else row.failures

    def noted(self, peer: str, work: str, error: str) -> None:
        """It cannot be done now, for a reason that is not the peer's: no wait is counted."""
        with self._store.housekeep(lasting=False) as session:
            self._row(session, peer, work).error = error[:80]

    def over(self, *errors: str) -> None:
        """What failed by one of these errors is due now, with whichever peer it was: the reason is gone."""
        failed = CourierRow.error.in_(errors)
        with self._store.read() as session:
            if session.scalar(sa.select(CourierRow.work).where(failed).limit(1)) is None:
                return
        with self._store.housekeep(lasting=False) as session:
            now = self._store.clock.now()
            session.execute(sa.update(CourierRow).where(failed).values(due=now, failures=0, error=None))

    def handed(self, peer: str, work: str) -> tuple[int, bool]:
        """Up to which message a carrier has them, and whether an answer has been waited for long enough."""
        with self._store.read() as session:
            row = session.get(CourierRow, (peer, work))
            return (0, True) if row is None else (row.upto or 0, row.due <= self._store.clock.now())

    def hand(self, peer: str, work: str, upto: int, wait: timedelta, *, again: bool) -> None:
        """A carrier has the messages up to this one; `again`: they were handed over before, and each time the wait is doubled."""
        now = self._store.clock.now()
        with self._store.housekeep(lasting=False) as session:
            row = self._row(session, peer, work)
            row.failures += again
            row.due = now + min(wait * 2 ** min(row.failures, 12), _LONGEST)
            row.upto, row.error, row.done = upto, None, now

    def answered(self, peer: str, work: str, wait: timedelta) -> None:
        """Something came back for what was handed over: the wait begins anew."""
        with self._store.housekeep(lasting=False) as session:
            row = self._row(session, peer, work)
            row.failures, row.error, row.due = 0, None, self._store.clock.now() + wait

    def _row(self, session: Session, peer: str, work: str) -> CourierRow:
        row = session.get(CourierRow, (peer, work))
        if row is None:
            row = CourierRow(peer=peer, work=work, due=self._store.clock.now(), failures=0)
            session.add(row)
        return row

    def of(self, peer: str) -> dict[str, tuple[int, str | None, datetime | None]]:
        """Of every work with a peer: failures in a row, the last error, when it last went well."""
        with self._store.read() as session:
            rows = session.scalars(sa.select(CourierRow).where(CourierRow.peer == peer))
            return {row.work: (row.failures, row.error, row.done) for row in rows}

    def _note(self, peer: str, work: str, wait: timedelta, *, error: str | None) -> None:
        now = self._store.clock.now()
        with self._store.housekeep(lasting=False) as session:
            row = self._row(session, peer, work)
            row.error = None if error is None else error[:80]
            if error is None:
                row.failures, row.due, row.done = 0, now + wait, now
            else:
                row.due = now + min(wait * 2 ** min(row.failures, 12), _LONGEST)
                row.failures += 1
