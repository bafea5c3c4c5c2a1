"""How far a receiver is: claimed, moved on and given back in the database, so that one process at a time sends to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from audit.forward.errors import LeaseLost
from audit.forward.models import CopyRow, CursorRow
from yinxin.crypto.suite import INTL
from yinxin.store import Store

#: how long a sender may say nothing before another takes over; longer than a batch can take
LEASE = timedelta(seconds=120)
#: the first wait after a failure, doubled each time
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Claim:
    """A cursor that is ours for a while."""

    receiver: str
    lease: str
    acknowledged: int


def due(store: Store, receiver: str, size: int) -> bool:
    """Whether there is something to send, nobody is sending, and no wait is on."""
    now = store.clock.now()
    with store.read() as session:
        row = session.get(CursorRow, receiver)
        if row is None:
            return size > 0
        free = row.leased_until is None or row.leased_until < now
        return free and row.acknowledged < size and (row.due is None or row.due <= now)


def claim(store: Store, receiver: str) -> Claim | None:
    """The receiver's cursor, or None while another has it. A lease that a power cut takes back is claimed again."""
    now, lease = store.clock.now(), store.identifier()
    with store.read() as session:
        known = session.get(CursorRow, receiver) is not None
    if not known:
        try:
            with store.housekeep() as session:
                session.execute(
                    sa.insert(CursorRow).values(
                        receiver=receiver, acknowledged=0, failures=0, alarmed=False, reconciled=0
                    )
                )
        except IntegrityError:
            pass  # another process was first; both go on
    free = sa.or_(CursorRow.leased_until.is_(None), CursorRow.leased_until < now)
    with store.housekeep(lasting=False) as session:
        claimed = session.execute(
            sa.update(CursorRow)
            .where(CursorRow.receiver == receiver, free)
            .values(lease=lease, leased_until=now + LEASE)
        )
        if not _changed(claimed):
            return None
        at = session.scalar(sa.select(CursorRow.acknowledged).where(CursorRow.receiver == receiver))
        return Claim(receiver, lease, at or 0)


def advance(store: Store, held: Claim, end: int, leaves: Sequence[bytes]) -> Claim:
    """The receiver has acknowledged up to `end`; raises LeaseLost when the cursor is another's by now.

    It does not wait for the disk: a cursor that a power cut moves back has entries sent twice, never left out.
    """
    now = store.clock.now()
    with store.housekeep(lasting=False) as session:
        moved = session.execute(
            sa.update(CursorRow)
            .where(
                CursorRow.receiver == held.receiver,
                CursorRow.lease == held.lease,
                CursorRow.acknowledged == held.acknowledged,
            )
            .values(
                acknowledged=end,
                acknowledged_at=now,
                leased_until=now + LEASE,
                failures=0,
                due=None,
                failing_since=None,
                error=None,
            )
        )
        if not _changed(moved):
            raise LeaseLost(receiver=held.receiver)
        if leaves:
            digest = INTL.hash.digest(b"".join(leaves))
            session.add(
                CopyRow(receiver=held.receiver, first=held.acknowledged, end=end, digest=digest, at=now)
            )
    return Claim(held.receiver, held.lease, end)


def fail(store: Store, held: Claim, code: str) -> datetime | None:
    """Put the receiver off, twice as long as before; since when it has been failing, None when it is another's."""
    now = store.clock.now()
    with store.housekeep(lasting=False) as session:
        row = session.scalars(
            sa.select(CursorRow).where(CursorRow.receiver == held.receiver, CursorRow.lease == held.lease)
        ).first()
        if row is None:
            return None
        row.due = now + min(FIRST_WAIT * 2 ** min(row.failures, 16), LONGEST_WAIT)
        row.failures += 1
        row.error = code
        row.failing_since = row.failing_since or now
        return row.failing_since


def release(store: Store, held: Claim) -> None:
    """Let others send."""
    with store.housekeep(lasting=False) as session:
        session.execute(
            sa.update(CursorRow)
            .where(CursorRow.receiver == held.receiver, CursorRow.lease == held.lease)
            .values(lease=None, leased_until=None)
        )


def rewind(store: Store, receiver: str, first: int) -> None:
    """Have everything from `first` on sent again: whoever is sending loses the lease."""
    with store.housekeep() as session:
        session.execute(sa.delete(CopyRow).where(CopyRow.receiver == receiver, CopyRow.end > first))
        kept = session.scalar(sa.select(sa.func.max(CopyRow.end)).where(CopyRow.receiver == receiver)) or 0
        session.execute(
            sa.update(CursorRow)
            .where(CursorRow.receiver == receiver, CursorRow.acknowledged > kept)
            .values(
                acknowledged=kept,
                lease=None,
                leased_until=None,
                due=None,
                reconciled=sa.case((CursorRow.reconciled > kept, kept), else_=CursorRow.reconciled),
                differing=None,
            )
        )


def _changed(result: Any) -> int:
    return cast("int", result.rowcount)
