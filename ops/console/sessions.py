"""One's own sessions: where one is signed in, since when, how; ended one by one or all at once."""

from typing import TYPE_CHECKING, Literal

from flask import Response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from ops.console.export import csv_file
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, page_of

if TYPE_CHECKING:
    from authz.models import SessionRow
    from ops.platform import Platform

PAGE = 50
WAYS: dict[str, Text] = {
    "tls": Text("浏览器或客户端证书", "certificate of the connection"),
    "signature": Text("签署挑战码", "signed challenge"),
    "passkey": Text("通行密钥", "passkey"),
}
COLUMNS = ("id", "post", "way", "created", "used", "expires")


class Look(Paged):
    """Which of them; a field left empty is anything."""

    way: Literal["", "tls", "signature", "passkey"] = ""


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""

    def rows(caller: Caller, query: Look, limit: int) -> "list[SessionRow]":
        found = platform.authz.sessions.open_of(
            caller.actor.id, after=query.begin(str) or "", limit=limit, way=query.way or None
        )
        return list(found)

    @pages.get("/sessions")
    def sessions(query: Look, caller: Caller) -> str:
        found = rows(caller, query, PAGE + 1)
        page = page_of(found, PAGE, key=lambda row: row.id, show=lambda row: row.id)
        return render_template(
            "console/sessions.html", rows=found[:PAGE], following=page.next, ways=WAYS, current=caller.session
        )

    @pages.get("/sessions.csv")
    def sessions_export(query: Look, caller: Caller) -> Response:
        return csv_file("sessions.csv", map(session_line, rows(caller, query, 10_000)), COLUMNS)

    @pages.act("/sessions/<id>/end")
    def end_session(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        platform.authz.sessions.end_one(caller.actor, id)
        return redirect(url_for("console.sessions"), 303)

    @pages.act("/sessions/end")
    def end_sessions(caller: Caller) -> BaseResponse:
        platform.authz.end_sessions(caller.actor, caller.actor.id)
        return redirect(url_for("yinxin.sign_in"), 303)


def session_line(row: "SessionRow") -> dict[str, str]:
    """A session as a line of an export."""
    times = {name: rfc3339(getattr(row, name)) for name in ("created", "used", "expires")}
    return {"id": row.id, "post": row.post, "way": row.way, **times}
