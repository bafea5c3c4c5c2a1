"""The reports' pages: which there are, making one, reading it, its files, schedules."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from flask import Blueprint, Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from audit.report.errors import NoPeriod
from audit.report.kinds import KINDS
from audit.report.make import Wanted, file_for, make_for, names_of, report_for, reports_for
from audit.report.paint import ROWS
from audit.report.schedule import Every, begin_for, end_for, schedules_for
from audit.service import Log
from yinxin.clock import UTC_PLUS_8, parse_rfc3339
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, current_caller, page_of
from yinxin.wire import Day, Model

PAGE = 50
PERIODS: Mapping[str, Text] = {
    "day": Text("每日", "daily"),
    "week": Text("每周", "weekly"),
    "month": Text("每月", "monthly"),
    "quarter": Text("每季", "quarterly"),
    "year": Text("每年", "yearly"),
}
Name = Literal[tuple(KINDS)]  # type: ignore[valid-type]


class Look(Paged):
    """Which reports; a kind left empty is any."""

    kind: Literal["", Name] = ""  # type: ignore[valid-type]


class Make(Model):
    """A report to be made: days of Beijing, both included."""

    kind: Name  # type: ignore[valid-type]
    since: Day
    until: Day
    about: str | None = Field(default=None, max_length=300)


class Begin(Model):
    """A report to be made for each period."""

    kind: Name  # type: ignore[valid-type]
    every: Every
    about: str | None = Field(default=None, max_length=300)


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The blueprint of the pages."""
    pages = Pages("audit-reports", "audit.pages")
    _add_reading(pages, log)
    _add_making(pages, log)
    return (pages.blueprint,)


def _add_reading(pages: Pages, log: Log) -> None:
    @pages.get("/console/audit/reports")
    def reports(query: Look, caller: Caller) -> str:
        found = reports_for(
            log, caller.actor, kind=query.kind or None, before=query.begin(str), limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "audit/reports.html",
            reports=found[:PAGE],
            following=page.next,
            kinds=KINDS,
            schedules=schedules_for(log, caller.actor),
            periods=PERIODS,
        )

    @pages.get("/console/audit/reports/<id>")
    def report(id: str, caller: Caller) -> str:  # noqa: A002 - the parameter's name in the address
        made, content = report_for(log, caller.actor, id)
        return render_template(
            "audit/report.html",
            made=made,
            content=content,
            files=list(names_of(log, made.id)),
            most=ROWS,
            times={"time", "created"},
            instant=parse_rfc3339,
        )

    @pages.get("/console/audit/reports/<id>/files/<name>")
    def report_file(id: str, name: str, caller: Caller) -> Response:  # noqa: A002 - the parameter's name in the address
        kind, data = file_for(log, caller.actor, id, name)
        headers = {"Content-Disposition": f'attachment; filename="{id}-{name}"'}
        return Response(data, content_type=kind, headers=headers)


def _add_making(pages: Pages, log: Log) -> None:
    def context() -> dict[str, Any]:
        return {"kinds": KINDS, "periods": PERIODS, "schedules": schedules_for(log, current_caller().actor)}

    @pages.form("/console/audit/report-making", "audit/report_make.html", context=context)
    def make(body: Make, caller: Caller) -> BaseResponse:
        now = log.store.clock.now()
        since, until = _begin(body.since), min(_begin(body.until) + timedelta(days=1), now)
        if body.until > now.astimezone(UTC_PLUS_8).date():
            raise NoPeriod
        made = make_for(log, caller.actor, Wanted(body.kind, since, until, body.about))
        return redirect(url_for("audit-reports.report", id=made.id), 303)

    @pages.form("/console/audit/report-schedules", "audit/report_schedule.html", context=context)
    def schedule(body: Begin, caller: Caller) -> BaseResponse:
        begin_for(log, caller.actor, body.kind, body.every, body.about)
        return redirect(url_for("audit-reports.reports"), 303)

    @pages.act("/console/audit/report-schedules/<id>/end")
    def schedule_end(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the parameter's name in the address
        end_for(log, caller.actor, id)
        return redirect(url_for("audit-reports.reports"), 303)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC_PLUS_8)
