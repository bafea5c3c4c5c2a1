"""Reports over HTTP."""

from typing import Any

from flask import Blueprint
from pydantic import Field

from audit.index import IndexBehind
from audit.report.errors import (
    AboutWhat,
    NoPeriod,
    ReportNotFound,
    ReportTooLarge,
    ScheduleNotFound,
    UnknownKind,
)
from audit.report.kinds import KINDS
from audit.report.make import Made, Wanted, file_for, make_for, names_of, report_for, reports_for
from audit.report.schedule import Every, Schedule, begin_for, end_for, schedules_for
from audit.service import Log
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, Raw, page_of
from yinxin.wire import Instant, Model, Words


class KindOut(Model):
    """A kind of report."""

    name: str
    title: Words
    purpose: Words
    about: str
    """What it wants to be told: `person`, `object`, or nothing."""


class KindsOut(Model):
    """Every kind of report."""

    kinds: list[KindOut]


class ReportIn(Model):
    """A report to be made."""

    kind: str = Field(max_length=40)
    since: Instant
    until: Instant
    """The end of the period; what happened at it is in the next."""
    about: str | None = Field(default=None, max_length=300)
    """The person or thing of a dossier."""


class ReportOut(Model):
    """A report that was made."""

    id: str
    kind: str
    title: Words
    about: str | None
    since: str
    until: str
    made: str
    by: str
    schedule: str | None
    entries: int
    entry: str
    """The audit entry that records it."""
    sealed: str | None
    """When its PDF was signed; absent while that is still to be done."""


class ReportShown(ReportOut):
    """A report, what it says, and its files."""

    content: dict[str, Any]
    files: list[str]


class ReportQuery(Paged):
    """Which reports."""

    kind: str | None = Field(default=None, max_length=40)


class ScheduleIn(Model):
    """A report to be made for each whole period."""

    kind: str = Field(max_length=40)
    every: Every
    about: str | None = Field(default=None, max_length=300)


class ScheduleOut(Model):
    """A schedule in force."""

    id: str
    kind: str
    about: str | None
    every: str
    owner: str
    begin: str


class SchedulesOut(Model):
    """The schedules in force."""

    schedules: list[ScheduleOut]


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The operations."""
    api = Api("audit-reports", "/api/audit/v1", Text("审计报告", "Audit reports"))
    _add_reports(api, log)
    _add_schedules(api, log)
    return (api.blueprint,)


def _add_reports(api: Api, log: Log) -> None:
    @api.get("/report-kinds", summary=Text("报告种类", "Kinds of report"))
    def kinds(caller: Caller) -> KindsOut:  # noqa: ARG001 - for whoever is signed in
        return KindsOut(
            kinds=[
                KindOut(
                    name=each.name,
                    title=Words.of(each.title),
                    purpose=Words.of(each.purpose),
                    about=each.about,
                )
                for each in KINDS.values()
            ]
        )

    @api.post(
        "/reports",
        summary=Text("编制报告", "Make a report"),
        status=201,
        problems=(Denied, UnknownKind, AboutWhat, NoPeriod, ReportTooLarge, IndexBehind),
    )
    def make(body: ReportIn, caller: Caller) -> ReportOut:
        wanted = Wanted(body.kind, body.since, body.until, body.about)
        return ReportOut(**_out(make_for(log, caller.actor, wanted)))

    @api.get("/reports", summary=Text("列出报告", "List reports"), problems=(Denied, UnknownKind))
    def reports(query: ReportQuery, caller: Caller) -> Page[ReportOut]:
        before = query.begin(str)
        found = reports_for(log, caller.actor, kind=query.kind, before=before, limit=query.limit + 1)
        return page_of(
            found, query.limit, key=lambda each: each.id, show=lambda each: ReportOut(**_out(each))
        )

    @api.get("/reports/<id>", summary=Text("查阅报告", "Read a report"), problems=(Denied, ReportNotFound))
    def report(id: str, caller: Caller) -> ReportShown:  # noqa: A002 - the parameter's name in the address
        made, content = report_for(log, caller.actor, id)
        return ReportShown(**_out(made), content=dict(content), files=list(names_of(log, made.id)))

    @api.get(
        "/reports/<id>/files/<name>",
        summary=Text("下载报告文件", "A file of a report"),
        problems=(Denied, ReportNotFound),
    )
    def report_file(id: str, name: str, caller: Caller) -> Raw:  # noqa: A002 - the parameter's name in the address
        kind, data = file_for(log, caller.actor, id, name)
        return Raw(data, kind, {"Content-Disposition": f'attachment; filename="{name}"'})


def _add_schedules(api: Api, log: Log) -> None:
    @api.get("/report-schedules", summary=Text("列出定期报告", "Schedules in force"), problems=(Denied,))
    def schedules(caller: Caller) -> SchedulesOut:
        return SchedulesOut(schedules=[_schedule(each) for each in schedules_for(log, caller.actor)])

    @api.post(
        "/report-schedules",
        summary=Text("设定定期报告", "Schedule a report"),
        status=201,
        problems=(Denied, UnknownKind, AboutWhat),
    )
    def begin_schedule(body: ScheduleIn, caller: Caller) -> ScheduleOut:
        return _schedule(begin_for(log, caller.actor, body.kind, body.every, body.about))

    @api.delete(
        "/report-schedules/<id>",
        summary=Text("停止定期报告", "End a schedule"),
        problems=(Denied, ScheduleNotFound),
    )
    def end_schedule(id: str, caller: Caller) -> None:  # noqa: A002 - the parameter's name in the address
        end_for(log, caller.actor, id)


def _schedule(schedule: Schedule) -> ScheduleOut:
    return ScheduleOut(
        id=schedule.id,
        kind=schedule.kind,
        about=schedule.about,
        every=schedule.every,
        owner=schedule.owner,
        begin=rfc3339(schedule.begin),
    )


def _out(made: Made) -> dict[str, Any]:
    return made.fields() | {"title": Words.of(made.kind.title)}
