"""Counting a period (Civil Code, articles 200 to 203; Administrative Licence Law, articles 45 and 82).

The day on which a period of days begins is not counted; it ends with its last day, at 24 o'clock of official time. One
of working days counts working days only. One of days whose last day is not worked ends with the next working day. One
of hours runs from its very beginning, through nights and holidays, and is moved by nothing but stops.

A stop is a period itself, so the day on which it begins is counted and the day on which it ends is not: a period that
is stopped and goes on within a day loses nothing. Of hours, a stop takes exactly as long as it lasted.

A period that reaches into a year whose arrangement is not published is provisional: its end is what weekends alone
make it, and is counted again when that year is published.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from yinxin.calendar import Calendar, local_date
from yinxin.clock import UTC_PLUS_8, rfc3339
from yinxin.deadline.errors import DeadlinePassed
from yinxin.deadline.period import Period
from yinxin.deadline.term import Unit

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """When a period ends. `at` is the first instant that is too late; None while it stands still.

    `provisional`: the calendar of a year that it reaches into is not published, or it stands still.
    """

    at: datetime | None
    provisional: bool

    @property
    def last_day(self) -> date | None:
        """The last day, in official time."""
        return None if self.at is None else local_date(self.at - timedelta(microseconds=1))

    def late(self, at: datetime) -> bool:
        """Whether it is over at `at`."""
        return self.at is not None and at >= self.at

    def demand(self, at: datetime) -> None:
        """Raise DeadlinePassed when it is over at `at`."""
        if self.at is not None and at >= self.at:
            raise DeadlinePassed(due=rfc3339(self.at))


def count(period: Period, calendar: Calendar) -> Due:
    """When the period ends."""
    if period.term.unit is Unit.HOURS:
        return _hours(period)
    if period.stopped is not None:
        return Due(None, provisional=True)
    day, counted, provisional = local_date(period.start), 0, False
    while True:
        day += _DAY
        provisional |= not calendar.known(day)
        counted += _counts(period, calendar, day)
        if counted >= period.amount and not _stands(period, day) and calendar.working(day):
            return Due(_end(day), provisional)


def left(period: Period, calendar: Calendar, at: datetime) -> int:
    """How many of its unit are left at `at`, today's day included; negative by how many it is overdue.

    Of a period that stands still it is how many there will be when it goes on.
    """
    today = local_date(at)
    if (open_ := period.stopped) is not None:
        at, today = open_.begun, local_date(open_.begun) + _DAY
        period = period.go_on(open_.begun)  # the days after the stop are as many whenever it ends
    due = count(period, calendar).at
    assert due is not None  # noqa: S101 - it does not stand still
    if period.term.unit is Unit.HOURS:
        return (due - at) // timedelta(hours=1)
    last = local_date(due - timedelta(microseconds=1))
    if today <= last:
        return sum(_counts(period, calendar, day) for day in _between(today, last))
    return -sum(_counts(period, calendar, day) for day in _between(last + _DAY, today))


def _hours(period: Period) -> Due:
    due = period.start + timedelta(hours=period.amount)
    for each in period.stops:
        if each.ended is None:
            return Due(None, provisional=True) if each.begun < due else Due(due, provisional=False)
        if each.begun < due:
            due += each.ended - each.begun
    return Due(due, provisional=False)


def _stands(period: Period, day: date) -> bool:
    """Whether the period stands still on a day."""
    return any(
        local_date(each.begun) < day <= local_date(each.ended)
        for each in period.stops
        if each.ended is not None
    )


def _counts(period: Period, calendar: Calendar, day: date) -> bool:
    """Whether a day is one of the period's."""
    return not _stands(period, day) and (period.term.unit is Unit.DAYS or calendar.working(day))


def _between(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=at) for at in range((last - first).days + 1))


def _end(day: date) -> datetime:
    """24 o'clock."""
    return datetime.combine(day + _DAY, time(), UTC_PLUS_8)
