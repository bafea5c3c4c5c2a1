"""The working-day calendar: a picture of the year for everybody, how a deadline is counted, and proposing a year's arrangement."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, render_template, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from ops.console.export import csv_file
from yinxin.calendar import Calendar, Day, DayKind, local_date, notice, read
from yinxin.calendar.register.proposal import PUBLISH, PublishContent
from yinxin.calendar.register.words import KINDS
from yinxin.calendar.wire import DayOut
from yinxin.clock import UTC_PLUS_8
from yinxin.deadline import Due, Period, Term, Unit, count
from yinxin.text import Text
from yinxin.web import Caller, Pages, Upload, caller_or_none
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform

#: octets of the form that carries a year's arrangement
LARGEST = 262_144
COLUMNS = ("date", "working", "kind", "holiday_zh", "holiday_en", "known")
#: what a cell is marked with, beside its colour
MARKS: Mapping[DayKind, Text] = {DayKind.HOLIDAY: Text("休", "off"), DayKind.MADE_UP: Text("班", "on")}
MONTHS = tuple(
    Text(f"{at} 月", name)
    for at, name in enumerate(
        (
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        1,
    )
)
WEEKDAYS = (
    Text("一", "Mon"),
    Text("二", "Tue"),
    Text("三", "Wed"),
    Text("四", "Thu"),
    Text("五", "Fri"),
    Text("六", "Sat"),
    Text("日", "Sun"),
)


class Look(Model):
    """Which year to look at, and a term to count in it."""

    year: int | None = Field(default=None, ge=1949, le=2999)
    begun: date | None = Field(default=None, ge=date(1949, 10, 1), le=date(2900, 1, 1))
    amount: int = Field(default=20, ge=1, le=3660)
    unit: Unit = Unit.WORKING_DAYS


class Wish(Model):
    """A year's arrangement, pasted unless it comes as a file; why, and on which basis."""

    text: str = Field(default="", max_length=100_000)
    reason: str = Field(min_length=8, max_length=2000)
    basis: str = Field(min_length=8, max_length=2000)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""

    @pages.get("/calendar", public=True)
    def calendar(query: Look) -> str:
        today = local_date(platform.clock.now())
        year = query.year or today.year
        found = platform.calendar.calendar()
        versions = platform.calendar.versions(year)
        return render_template(
            "console/calendar.html",
            year=year,
            today=today,
            months=[(name, _weeks(days)) for name, days in zip(MONTHS, found.months(year), strict=True)],
            tally=_tally(found, year),
            versions=versions,
            marks=MARKS,
            kinds=KINDS,
            weekdays=WEEKDAYS,
            units=[(each.value, each.text) for each in Unit],
            look=query,
            due=_due(query, found),
            may_propose=_may_propose(),
        )

    @pages.get("/calendar/<int:year>.csv", public=True)
    def calendar_export(year: int) -> Response:
        """Every day of a year."""
        shown = min(max(year, 1949), 2999)
        days = platform.calendar.calendar().days(date(shown, 1, 1), date(shown, 12, 31))
        return csv_file(f"calendar-{shown}.csv", map(_line, days), COLUMNS)

    _add_proposal(pages, platform)


def _add_proposal(pages: Pages, platform: "Platform") -> None:
    def context() -> Mapping[str, Any]:
        wanted = request.args.get("year", "")
        return {"shipped": (notice(int(wanted)) if wanted.isdecimal() and len(wanted) == 4 else None) or ""}

    @pages.form("/console/calendar/proposal", "console/calendar_new.html", context=context, limit=LARGEST)
    def calendar_propose(body: Wish, file: Upload | None, caller: Caller) -> BaseResponse:
        arrangement = read(file.stream.read() if file else body.text.encode())
        newest = next(iter(platform.calendar.versions(arrangement.year)), None)
        content = PublishContent(arrangement=arrangement, replaces=newest.version if newest else 0)
        proposals = platform.authz.proposals
        made = proposals.propose(caller.actor, PUBLISH.name, content, reason=body.reason, basis=body.basis)
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)


def _may_propose() -> bool:
    """Whether to show the way; the proposal itself asks for permission."""
    caller = caller_or_none()
    return caller is not None and bool(caller.roles & PUBLISH.proposers)


def _due(look: Look, calendar: Calendar) -> Due | None:
    """When the term that was filled in ends; it begins in the course of its first day."""
    if look.begun is None:
        return None
    start = datetime.combine(look.begun, time(), UTC_PLUS_8)
    return count(Period(Term(look.amount, look.unit), start), calendar)


def _weeks(days: tuple[Day, ...]) -> list[list[Day | None]]:
    """A month in weeks that begin on Monday (GB/T 7408)."""
    cells: list[Day | None] = [None] * days[0].date.weekday() + list(days)
    cells += [None] * (-len(cells) % 7)
    return [cells[at : at + 7] for at in range(0, len(cells), 7)]


def _tally(calendar: Calendar, year: int) -> tuple[int, int]:
    """How many days of the year are worked, and how many are not."""
    days = [day.working for month in calendar.months(year) for day in month]
    return sum(days), len(days) - sum(days)


def _line(day: Day) -> Mapping[str, Any]:
    shown = DayOut.of(day)
    return {
        "date": str(shown.date),
        "working": shown.working,
        "kind": shown.kind.value,
        "holiday_zh": shown.holiday.zh if shown.holiday else "",
        "holiday_en": shown.holiday.en if shown.holiday else "",
        "known": shown.known,
    }
