"""One's own sessions: where one is signed in, since when, how; ended one by one or all at once."""

import csv
import io
from typing import TYPE_CHECKING, Literal

from flask import Response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

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
_COLUMNS = ("id", "post", "way", "created", "used", "expires")


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
        out = io.StringIO("\ufeff")
        out.seek(0, io.SEEK_END)
        table = csv.writer(out)
        table.writerow(_COLUMNS)
        for row in rows(caller, query, 10_000):
            times = (rfc3339(each) for each in (row.created, row.used, row.expires))
            table.writerow((row.id, row.post, row.way, *times))
        headers = {"Content-Disposition": 'attachment; filename="sessions.csv"'}
        return Response(out.getvalue(), mimetype="text/csv", headers=headers)

    @pages.act("/sessions/<id>/end")
    def end_session(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        platform.authz.sessions.end_one(caller.actor, id)
        return redirect(url_for("console.sessions"), 303)

    @pages.act("/sessions/end")
    def end_sessions(caller: Caller) -> BaseResponse:
        platform.authz.end_sessions(caller.actor, caller.actor.id)
        return redirect(url_for("yinxin.sign_in"), 303)
