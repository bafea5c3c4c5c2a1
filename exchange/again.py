"""Sending again what a peer has lost: a site that was restored to before it took what it gave receipts for.

It says so itself, in a signed statement (`exchange.reconcile`), and nothing else makes this site send again. What it is sent are
the runs as they were signed then; the receipts that it gave then stay the ones that count.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange.models import CourierRow, Direction, MessageRow, SealRow
from exchange.runs import MOST, Run, first_waiting, run_of
from yinxin.store import Store

#: the work of a peer's row among the couriers: `upto` is the last message that it has, or has been handed again
AGAIN = "again"


class Again:
    """What is to be sent again, by peer. Where it stands is housekeeping: the peer's next statement says it anew."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def lost(self, peer: str, after: int) -> None:
        """Send again what follows this message."""
        self._set(peer, after)

    def handed(self, peer: str, run: Run) -> None:
        """It has this run, or what carries it has."""
        self._set(peer, run.upto)

    def run(self, peer: str) -> Run | None:
        """The next run, as it was signed; None when nothing is to be sent again. Then what waits is next."""
        with self._store.read() as session:
            row = session.get(CourierRow, (peer, AGAIN))
            if row is None or row.upto is None:
                return None
            waits = first_waiting(session, peer)
            seal = session.scalars(
                sa.select(SealRow)
                .where(SealRow.direction == Direction.OUT, SealRow.peer == peer, SealRow.upto > row.upto)
                .order_by(SealRow.upto)
                .limit(1)
            ).one_or_none()
            if seal is not None and (waits is None or seal.upto < waits):
                return run_of(session, Direction.OUT, peer, seal)
        self._set(peer, None)
        return None

    def peers(self) -> frozenset[str]:
        """To whom something is to be sent again."""
        query = sa.select(CourierRow.peer).where(CourierRow.work == AGAIN, CourierRow.upto.is_not(None))
        with self._store.read() as session:
            return frozenset(session.scalars(query))

    def _set(self, peer: str, upto: int | None) -> None:
        now = self._store.clock.now()
        with self._store.housekeep(lasting=False) as session:
            row = session.get(CourierRow, (peer, AGAIN)) or CourierRow(peer=peer, work=AGAIN, failures=0)
            row.upto, row.due = upto, now
            session.add(row)


def among(session: Session, peer: str) -> sa.ColumnElement[bool]:
    """Whether a message (`MessageRow`) was in the run that was handed again last, whose parts are asked for now."""
    row = session.get(CourierRow, (peer, AGAIN))
    upto = 0 if row is None or row.upto is None else row.upto
    return MessageRow.seq.between(upto - MOST + 1, upto)
