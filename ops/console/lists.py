"""Bulk enrolment from pages: a list is handed in and judged, started by whoever handed it in, watched, and reported."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from ca.bulk.lists import COLUMNS, Standing
from ca.bulk.models import ListState, State
from ca.bulk.read import COLUMNS as LIST_COLUMNS
from ca.bulk.read import HEADS
from ops.console.export import csv_file
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, Upload, current_caller, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
EXPORT_PAGE = 200
#: refused rows that a page shows; the file has them all
SHOWN = 100
#: octets of a list: requests for some thirty thousand people
LARGEST = 32 << 20
STATES: Mapping[ListState, tuple[Text, str]] = {
    ListState.CHECKED: (Text("已检查，尚未开始", "checked, not started"), "waiting"),
    ListState.RUNNING: (Text("签发中", "being enrolled"), "waiting"),
    ListState.STOPPED: (Text("已停止", "stopped"), "refused"),
    ListState.ENDED: (Text("已办完", "finished"), "done"),
}
EXPORT = ("id", "state", "name", "organ", "officer", "rows", "issued", "refused", "pending", "created", "started", "ended")  # fmt: skip
#: what stands in each column of a list
MEANINGS: Mapping[str, Text] = {
    "holder": Text("人员、机关或服务的标识，与名录一致", "identifier of the person, organ or service, as in the directory"),
    "profile": Text("证书模板，如 person-signing", "certificate profile, such as person-signing"),
    "csr": Text("证书请求全文（PEM），由本人的密钥生成", "the whole request (PEM), made by the holder's own key"),
    "kind": Text("person（不填即是）、organ 或 service", "person (when empty), organ or service"),
    "post": Text("个人的岗位，个人必填", "the post of a person, who needs one"),
    "organ": Text("运行服务的机关，服务必填", "the organ that runs the service, which needs one"),
    "days": Text("有效天数，不填则按模板", "days of validity, else the profile's"),
    "reference": Text("自编的行号：同一号只得一张证书", "your own key of the row: one gives one certificate"),
}  # fmt: skip


class Look(Paged):
    """Which lists; no organ is the own one with those below."""

    organ: str = Field(default="", max_length=64)
    state: ListState | Literal[""] = ""


class Watch(Model):
    """Whether the page is to renew itself for whoever has no scripts and asked for it."""

    watch: Literal["", "1"] = ""


class Rows(Model):
    """Which rows of the report."""

    state: State | Literal[""] = ""


class Nothing(Model):
    """Only the file."""


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_finding(pages, platform)
    _add_watching(pages, platform)
    _add_acting(pages, platform)


def _add_finding(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/lists")
    def enrolment_lists(query: Look, caller: Caller) -> str:
        found = platform.ca.lists.search(
            caller.actor,
            query.organ or None,
            query.state or None,
            after=query.begin(str) or "",
            limit=PAGE + 1,
        )
        page = page_of(found, PAGE, key=lambda each: each.row.id, show=lambda each: each.row.id)
        return render_template(
            "console/lists.html", rows=found[:PAGE], following=page.next, states=STATES, counted=State
        )

    @pages.get("/console/lists.csv")
    def enrolment_lists_export(query: Look, caller: Caller) -> Response:
        """Every list that matches, the newest first."""
        asked = (caller.actor, query.organ or None, query.state or None)
        first = platform.ca.lists.search(*asked, limit=EXPORT_PAGE)

        def told() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                yield from map(_told, page)
                page = platform.ca.lists.search(*asked, after=page[-1].row.id, limit=EXPORT_PAGE)

        return csv_file("lists.csv", told(), EXPORT)


def _add_watching(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/lists/<id_>")
    def enrolment_list(id_: str, query: Watch, caller: Caller) -> str:
        shown = platform.ca.lists.show(caller.actor, id_)
        refused = (
            platform.ca.lists.rows(caller.actor, id_, State.REFUSED)
            if shown.counts.get(State.REFUSED)
            else iter(())
        )
        row, may = shown.row, platform.ca.lists.may(caller.actor, shown.row)
        own = may and row.officer == caller.actor.id and not row.by_command and row.refused < row.rows
        return render_template(
            "console/list.html",
            refused=[each for each, _ in zip(refused, range(SHOWN), strict=False)],
            watch=bool(query.watch),
            may={
                "start": own and row.state in (ListState.CHECKED, ListState.STOPPED),
                "stop": may and row.state == ListState.RUNNING,
            },
            **_progress(shown),
        )

    @pages.get("/console/lists/<id_>/progress")
    def enrolment_progress(id_: str, caller: Caller) -> str:
        """The part of the page that renews itself."""
        return render_template(
            "console/list_progress.html", **_progress(platform.ca.lists.show(caller.actor, id_))
        )

    @pages.get("/console/lists/<id_>/rows.csv")
    def enrolment_rows(id_: str, query: Rows, caller: Caller) -> Response:
        """What became of each row, or is foretold of it."""
        state = query.state or None
        return csv_file(
            f"{state or 'rows'}-{id_[:26]}.csv", platform.ca.lists.rows(caller.actor, id_, state), COLUMNS
        )


def _add_acting(pages: Pages, platform: "Platform") -> None:
    def context() -> Mapping[str, Any]:
        platform.ca.lists.require(current_caller().actor)
        return {"meanings": MEANINGS, "needed": LIST_COLUMNS, "heads": HEADS}

    @pages.form("/console/lists/new", "console/list_new.html", context=context, limit=LARGEST)
    def enrolment_list_new(body: Nothing, table: Upload, caller: Caller) -> BaseResponse:  # noqa: ARG001 - nothing but the file
        return _to(platform.ca.lists.hand_in(caller.actor, table.name, table.stream.read()).id)

    @pages.act("/console/lists/<id_>/start")
    def enrolment_list_start(id_: str, caller: Caller) -> BaseResponse:
        platform.ca.lists.start(caller.actor, id_)
        return _to(id_)

    @pages.act("/console/lists/<id_>/stop")
    def enrolment_list_stop(id_: str, caller: Caller) -> BaseResponse:
        platform.ca.lists.stop(caller.actor, id_)
        return _to(id_)


def _progress(shown: Standing) -> dict[str, Any]:
    text, colour = STATES[ListState(shown.row.state)]
    counts = {state.value: shown.counts.get(state, 0) for state in State}
    return {"row": shown.row, "done": shown.done, "counts": counts, "state": text, "colour": colour}


def _told(shown: Standing) -> dict[str, Any]:
    row = shown.row
    moments = {name: getattr(row, name) for name in ("created", "started", "ended")}
    return {
        **{name: getattr(row, name) for name in ("id", "state", "name", "organ", "officer", "rows")},
        **{state.value: shown.counts.get(state, 0) for state in State},
        **{name: rfc3339(at) if at else "" for name, at in moments.items()},
    }


def _to(id_: str) -> BaseResponse:
    return redirect(url_for("console.enrolment_list", id_=id_), 303)
