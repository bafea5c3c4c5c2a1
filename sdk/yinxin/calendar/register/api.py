"""The HTTP face of calendars: /api/calendar/v1. Anybody may read it: deadlines are the citizens' affair too."""

import datetime as dt
from typing import Self

from flask import Blueprint
from pydantic import Field, model_validator

from yinxin.calendar.register.errors import CalendarForged, YearUnknown
from yinxin.calendar.register.service import Calendars
from yinxin.calendar.register.shown import due_out, year_out
from yinxin.calendar.wire import DayOut, DueOut, YearOut
from yinxin.deadline import Period, Term, Unit
from yinxin.faults import BadValue
from yinxin.text import Text
from yinxin.web import Api, Page, Paged, page_of
from yinxin.wire import Instant, Model

#: days that one question may ask for
_MOST = 800


class DaysQuery(Model):
    """From which day to which, both included."""

    first: dt.date = Field(ge=dt.date(1949, 10, 1), le=dt.date(2999, 12, 31))
    last: dt.date = Field(ge=dt.date(1949, 10, 1), le=dt.date(2999, 12, 31))

    @model_validator(mode="after")
    def _few(self) -> Self:
        if not dt.timedelta() <= self.last - self.first < dt.timedelta(days=_MOST):
            raise BadValue(
                f"last 不早于 first，至多 {_MOST} 天", f"last is no earlier than first, {_MOST} days at most"
            )
        return self


class DueQuery(Model):
    """A term and when it began; with stops or extensions it is counted by the kit (`yinxin.deadline`)."""

    start: Instant = Field(
        ge=dt.datetime(1949, 10, 1, tzinfo=dt.UTC), le=dt.datetime(2900, 1, 1, tzinfo=dt.UTC)
    )
    amount: int = Field(ge=1, le=3660)
    unit: Unit


def routes(calendars: Calendars) -> tuple[Blueprint, ...]:
    """The operations."""
    api = Api("calendar", "/api/calendar/v1", Text("工作日历", "Working-day calendars"))

    @api.get(
        "/years",
        public=True,
        problems=(CalendarForged,),
        summary=Text("已公布的年份", "The years that are published"),
    )
    def years(query: Paged) -> Page[YearOut]:
        before = query.begin(int)
        found = [each for each in calendars.in_force() if before is None or each.arrangement.year < before]
        return page_of(
            found[: query.limit + 1], query.limit, key=lambda each: each.arrangement.year, show=year_out
        )

    @api.get(
        "/years/<int:year>",
        public=True,
        problems=(YearUnknown, CalendarForged),
        summary=Text("一年的安排", "A year's arrangement in force"),
    )
    def year(year: int) -> YearOut:
        return year_out(calendars.version(year))

    @api.get(
        "/years/<int:year>/versions",
        public=True,
        problems=(CalendarForged,),
        summary=Text("一年的各个版本", "The versions of a year"),
    )
    def versions(year: int, query: Paged) -> Page[YearOut]:
        before = query.begin(int)
        found = [each for each in calendars.versions(year) if before is None or each.version < before]
        return page_of(found[: query.limit + 1], query.limit, key=lambda each: each.version, show=year_out)

    @api.get(
        "/days",
        public=True,
        problems=(CalendarForged,),
        summary=Text("哪些天上班", "Which days are worked"),
    )
    def days(query: DaysQuery) -> Page[DayOut]:
        return Page(items=[DayOut.of(each) for each in calendars.calendar().days(query.first, query.last)])

    @api.get(
        "/deadline",
        public=True,
        problems=(CalendarForged,),
        summary=Text("计算期限", "Count a deadline"),
    )
    def deadline(query: DueQuery) -> DueOut:
        return due_out(calendars, Period(Term(query.amount, query.unit), query.start))

    return (api.blueprint,)
