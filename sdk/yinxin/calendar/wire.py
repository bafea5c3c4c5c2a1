"""Calendars on the wire: what the platform answers and its client reads."""

from datetime import date
from typing import Self

from yinxin.calendar.arrangement import Arrangement
from yinxin.calendar.days import Day, DayKind
from yinxin.clock import rfc3339
from yinxin.deadline.count import Due
from yinxin.wire import Reply, Words


class DayOut(Reply):
    """A day of the calendar in force; `known`: whether its year is published."""

    date: date
    working: bool
    kind: DayKind
    holiday: Words | None
    known: bool

    @classmethod
    def of(cls, day: Day) -> Self:
        """A day as it is sent."""
        holiday = Words.of(day.holiday) if day.holiday else None
        return cls(date=day.date, working=day.working, kind=day.kind, holiday=holiday, known=day.known)


class DueOut(Reply):
    """When a period ends: its last day, and the first instant that is too late; none while it stands still."""

    last_day: date | None
    due: str | None
    provisional: bool

    @classmethod
    def of(cls, due: Due) -> Self:
        """As it is sent."""
        at = rfc3339(due.at) if due.at else None
        return cls(last_day=due.last_day, due=at, provisional=due.provisional)


class YearOut(Reply):
    """A published version of a year's arrangement.

    `sha256` is that of its canonical JSON; `signature` the site's signed note that names it; `proposal` what several people
    approved.
    """

    year: int
    version: int
    document: str
    sha256: str
    proposal: str
    author: str
    in_force_from: str
    in_force_until: str | None
    signature: str
    arrangement: Arrangement
