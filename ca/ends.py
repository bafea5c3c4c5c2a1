"""When certificates in force end, month by month: what there is to renew, seen ahead."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from authz.directory.tree import reached
from ca.models import CertificateRow, State
from yinxin.calendar import local_date
from yinxin.clock import UTC_PLUS_8
from yinxin.store import Store

#: months that are told, the one that runs included
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Ends:
    """How many certificates in force end in a stretch of days, both included: today is the first; without a `last`, all later ones."""

    first: date
    last: date | None
    certificates: int


def ends(store: Store, organ: str, *, months: int = MONTHS) -> tuple[Ends, ...]:
    """What ends in the coming months and, as the last of them, later; of an organ and those below it."""
    now = store.clock.now()
    with store.read() as session:
        organs = sorted({organ, *session.scalars(reached(organ))})
        return tuple(
            Ends(first, last, session.scalar(_count(organs, first, last, now)) or 0)
            for first, last in _months(local_date(now), months)
        )


def _months(today: date, months: int) -> list[tuple[date, date | None]]:
    found: list[tuple[date, date | None]] = []
    first = today
    for _ in range(months):
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        found.append((first, following - timedelta(days=1)))
        first = following
    return [*found, (first, None)]


def _count(organs: list[str], first: date, last: date | None, now: datetime) -> sa.Select[int]:
    row = CertificateRow
    begin = max(datetime.combine(first, time(), UTC_PLUS_8), now)
    end = datetime.combine(last + timedelta(days=1), time(), UTC_PLUS_8) if last else None
    return sa.select(sa.func.count()).where(
        row.organ.in_(organs),
        row.state == State.ISSUED,
        row.revoked_at.is_(None),
        row.not_after >= begin,
        row.not_after < end if end else sa.true(),
    )
