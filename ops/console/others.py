"""Somebody else's sessions: an auditor sees them, a security officer ends them."""

from typing import TYPE_CHECKING

from flask import Response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from ops.console.export import csv_file
from ops.console.sessions import COLUMNS, WAYS, session_line
from yinxin.web import Caller, Paged, Pages, page_of

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    authz = platform.authz

    @pages.get("/console/people/<id>/sessions")
    def person_sessions(id: str, query: Paged, caller: Caller) -> str:  # noqa: A002 - the field's name
        found = authz.sessions_of(caller.actor, id, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda row: row.id, show=lambda row: row.id)
        return render_template(
            "console/person_sessions.html",
            person=authz.directory.person(id),
            rows=found[:PAGE],
            following=page.next,
            ways=WAYS,
            may_end=authz.may_end_sessions(caller.actor, id),
        )

    @pages.get("/console/people/<id>/sessions.csv")
    def person_sessions_export(id: str, caller: Caller) -> Response:  # noqa: A002 - the field's name
        found = authz.sessions_of(caller.actor, id, limit=10_000)
        return csv_file("sessions.csv", map(session_line, found), COLUMNS)

    @pages.act("/console/people/<id>/sessions/<session>/end")
    def person_session_end(id: str, session: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        authz.end_session_of(caller.actor, id, session)
        return redirect(url_for("console.person_sessions", id=id), 303)

    @pages.act("/console/people/<id>/sessions/end")
    def person_sessions_end(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        authz.end_sessions(caller.actor, id)
        return redirect(url_for("console.person_sessions", id=id), 303)
