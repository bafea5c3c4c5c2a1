"""Imports of the directory: tables handed in, every fault told; proposed; carried out with the very tables approved."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import make_response, redirect, render_template, request, url_for
from pydantic import Field, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from authz.proposal import Filter, State
from authz.proposal.words import STATES
from authz.roster import RosterContent
from authz.roster.api import carry_out, laid_out
from authz.roster.errors import RosterUnreadable
from authz.roster.roster import IMPORT
from ops.console.proposals import COLOURS
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import parse_rfc3339
from yinxin.text import Text
from yinxin.web import Caller, Form, Paged, Pages, Upload, current_caller, kit, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz
    from ops.platform import Platform

PAGE = 50
TABLES: Mapping[str, Text] = {
    "organs": Text("机关", "organs"),
    "posts": Text("岗位", "posts"),
    "people": Text("人员", "people"),
    "appointments": Text("任职", "appointments"),
}
COUNTS: Mapping[str, Text] = {
    "new": Text("新增", "new"),
    "changed": Text("变更", "changed"),
    "ended": Text("终止", "ended"),
    "untouched": Text("不变", "as they were"),
}
_LOST = Text("请重新交出导入表", "hand in the tables again")


class Nothing(Model):
    """Only the tables."""


class Wish(Model):
    """What was rehearsed and shall now be proposed, with the reason."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    counts: str = Field(max_length=10_000)
    reason: str = Field(min_length=8, max_length=2000)
    basis: str = Field(default="", max_length=2000)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_rehearsing(pages, platform.authz)
    _add_carrying_out(pages, platform.authz)


def _add_rehearsing(pages: Pages, authz: "Authz") -> None:
    @pages.get("/console/imports")
    def imports(query: Paged, caller: Caller) -> str:
        """The imports that were proposed, and how far each is."""
        _permit(authz, caller)
        after = query.begin(str) or ""
        found = authz.proposals.search(caller.actor, Filter(kind=IMPORT.name), after=after, limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda row: row["id"], show=lambda row: row["id"])
        return render_template(
            "console/imports.html", rows=list(map(_line, found[:PAGE])), following=page.next
        )

    @pages.form("/console/imports/new", "console/import_new.html", context=lambda: _needed(authz))
    def import_new(  # noqa: PLR0917 - a table each
        body: Nothing,  # noqa: ARG001 - the contract: nothing but the tables
        organs: Upload | None,
        posts: Upload | None,
        people: Upload | None,
        appointments: Upload | None,
        caller: Caller,
    ) -> BaseResponse:
        with laid_out(organs, posts, people, appointments) as folder:
            report = authz.roster.rehearse(caller.actor, folder)
        told = report.fields()
        return make_response(
            render_template(
                "console/import_report.html",
                form=Form(kit().store.identifier()),
                report=report,
                **_told(report.digest, told["counts"]),
            )
        )

    def again() -> Mapping[str, Any]:
        """What was rehearsed, shown once more beside what is wrong with the form."""
        _permit(authz, current_caller())
        digest, counts = request.form.get("digest", ""), request.form.get("counts", "")
        content = _content(digest, counts)
        return {"report": None, **_told(content.digest, content.counts)}

    @pages.form("/console/imports/new/proposal", "console/import_report.html", context=again)
    def import_propose(body: Wish, caller: Caller) -> BaseResponse:
        made = authz.proposals.propose(
            caller.actor,
            IMPORT.name,
            _content(body.digest, body.counts),
            reason=body.reason,
            basis=body.basis,
        )
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)


def _add_carrying_out(pages: Pages, authz: "Authz") -> None:
    def context(proposal: str) -> Mapping[str, Any]:
        return {"shown": authz.proposals.show(current_caller().actor, proposal), "tables": TABLES}

    @pages.form("/console/imports/<proposal>/execution", "console/import_execute.html", context=context)
    def import_execute(  # noqa: PLR0917 - a table each
        proposal: str,
        body: Nothing,  # noqa: ARG001 - the contract: nothing but the tables
        organs: Upload | None,
        posts: Upload | None,
        people: Upload | None,
        appointments: Upload | None,
        caller: Caller,
    ) -> BaseResponse:
        with laid_out(organs, posts, people, appointments) as folder:
            carry_out(authz, caller.actor, proposal, folder)
        return redirect(url_for("console.proposal", proposal=proposal), 303)


def _permit(authz: "Authz", caller: Caller) -> None:
    resource = Resource("Directory", "directory", PLATFORM)
    authz.decisions.require(caller.actor, "authz.rehearse-import", resource)


def _needed(authz: "Authz") -> Mapping[str, Any]:
    _permit(authz, current_caller())
    return {"tables": TABLES}


def _told(digest: str, counts: Mapping[str, Mapping[str, int]]) -> Mapping[str, Any]:
    return {
        "digest": digest,
        "counts": counts,
        "counts_json": json.dumps(counts),
        "tables": TABLES,
        "kinds": COUNTS,
    }


def _content(digest: str, counts: str) -> RosterContent:
    """What was rehearsed, as the page kept it; raises RosterUnreadable when it is not there any more."""
    try:
        return RosterContent.model_validate({"digest": digest, "counts": json.loads(counts)})
    except (ValueError, ValidationError) as error:
        raise RosterUnreadable(file="-", reason=_LOST) from error


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    state = State(row["state"])
    return {**row, "created": parse_rfc3339(row["created"]), "words": STATES[state], "colour": COLOURS[state]}
