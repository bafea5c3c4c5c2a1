"""Scheduled reports: one for each whole period, made once, whichever process and however late.

A period is a day, week, month, quarter or year of Beijing. A report is made when its period has been over for as long
as a record may wait for the log, so that nothing of the period is still on its way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, Self, get_args

import sqlalchemy as sa

from audit.ask import may_read
from audit.report.errors import AlreadyMade, ScheduleNotFound
from audit.report.make import Wanted, check_about, finish_all, kind_named, record
from audit.report.models import ReportRow, ScheduleRow
from audit.service import Log
from yinxin.act import SYSTEM, Actor
from yinxin.clock import UTC_PLUS_8
from yinxin.errors import YinxinError

Every = Literal["day", "week", "month", "quarter", "year"]
EVERY: tuple[Every, ...] = get_args(Every)
BEGIN, END = "audit.schedule-report", "audit.end-schedule"
#: seconds that a record may be on its way besides what the settings allow
_GRACE = 30


@dataclass(frozen=True, slots=True)
class Schedule:
    """That a report of this kind is made for each whole period from `begin` on, until it is ended."""

    id: str
    kind: str
    about: str | None
    every: str
    owner: str
    begin: datetime
    created: datetime
    ended: datetime | None

    @classmethod
    def of(cls, row: ScheduleRow) -> Self:
        """A row as a value."""
        return cls(row.id, row.kind, row.about, row.every, row.owner, row.begin, row.created, row.ended)


def period_of(every: str, at: datetime) -> tuple[datetime, datetime]:
    """The period [begin, end) of Beijing in which an instant lies."""
    day = at.astimezone(UTC_PLUS_8).date()
    begin = _begin(every, day)
    later = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[every]
    return _midnight(begin), _midnight(_begin(every, begin + timedelta(days=later)))


def _begin(every: str, day: date) -> date:
    """The first day of the period in which a day lies."""
    match every:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC_PLUS_8)


def begin_for(log: Log, actor: Actor, kind: str, every: Every, about: str | None = None) -> Schedule:
    """Begin with the period that is under way; raises Denied, UnknownKind, AboutWhat."""
    decision = may_read(log, actor)
    now = log.store.clock.now()
    name = log.store.identifier()
    facts = {"kind": kind, "every": every} | ({"about": about} if about else {})
    with log.store.act(actor, BEGIN, f"schedule:{name}") as act:
        act.facts |= facts
        act.decision = decision.record()
        check_about(kind_named(kind), about)
        begin, _ = period_of(every, now)
        row = ScheduleRow(
            id=name, kind=kind, about=about, every=every, owner=actor.id, begin=begin, created=now, ended=None
        )
        act.session.add(row)
        act.session.flush()
        return Schedule.of(row)


def end_for(log: Log, actor: Actor, schedule: str) -> None:
    """Make no more of them; any auditor may. Raises Denied, ScheduleNotFound."""
    decision = may_read(log, actor)
    with log.store.act(actor, END, f"schedule:{schedule[:40]}") as act:
        act.decision = decision.record()
        row = act.session.get(ScheduleRow, schedule[:40])
        if row is None or row.ended is not None:
            raise ScheduleNotFound(schedule=schedule[:80])
        row.ended = log.store.clock.now()


def schedules_for(log: Log, actor: Actor) -> tuple[Schedule, ...]:
    """Those in force, oldest first; raises Denied."""
    may_read(log, actor)
    return _in_force(log)


def make_due(log: Log) -> int:
    """Make every report whose period is over, and finish those that were cut off; how many were made.

    One that cannot be made hinders none of the others; the first fault is raised at the end, for the job's own record.
    """
    count, failed = 0, None
    for schedule in _in_force(log):
        for since, until in _due(log, schedule):
            wanted = Wanted(schedule.kind, since, until, schedule.about, schedule.id)
            try:
                record(log, SYSTEM, wanted, None)
            except AlreadyMade:
                continue  # by another process, in this very moment
            except YinxinError as error:
                failed = failed or error
                break
            count += 1
    finish_all(log)
    if failed is not None:
        raise failed
    return count


def _in_force(log: Log) -> tuple[Schedule, ...]:
    query = sa.select(ScheduleRow).where(ScheduleRow.ended.is_(None)).order_by(ScheduleRow.id)
    with log.store.read() as session:
        return tuple(map(Schedule.of, session.scalars(query)))


def _due(log: Log, schedule: Schedule) -> Iterator[tuple[datetime, datetime]]:
    """The periods that are over and have no report, in order."""
    patience = timedelta(seconds=log.settings.longest_backlog + _GRACE)
    made = sa.select(sa.func.max(ReportRow.until)).where(ReportRow.schedule == schedule.id)
    with log.store.read() as session:
        begin = session.scalar(made) or schedule.begin
    while True:
        begin, end = period_of(schedule.every, begin)
        if end + patience > log.store.clock.now():
            return
        yield begin, end
        begin = end
