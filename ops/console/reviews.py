"""Reviews of appointments: the campaigns, one with what is left to decide, and beginning one."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from authz.review import Campaign, Item
from ops.console.export import csv_file
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, current_caller, cursor, page_of, position
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz
    from ops.platform import Platform

PAGE = 50
OUTCOMES: Mapping[str, tuple[Text, str]] = {
    "confirmed": (Text("已确认", "confirmed"), "done"),
    "ended": (Text("已终止", "ended"), "refused"),
    "not-confirmed": (Text("逾期未确认，已终止", "not confirmed in time, ended"), "refused"),
}
OPEN = (Text("待确认", "to be decided"), "waiting")
COLUMNS = ("person", "post", "organ", "outcome", "decided_by", "decided_at")
_Outcome = Literal["confirmed", "ended"]


class Look(Paged):
    """Which reviews; no organ is the own one."""

    under: str = Field(default="", max_length=64)
    state: Literal["", "open"] = ""


class LookItems(Paged):
    """Which appointments of a review."""

    under: str = Field(default="", max_length=64)
    state: Literal["", "undecided"] = ""


class Beginning(Model):
    """What is reviewed, and how many days the reviewers have."""

    organ: str = Field(min_length=1, max_length=64)
    days: int = Field(ge=7, le=3660)


def part(caller: Caller, under: str) -> str:
    """The part of the tree that was asked about: the own organ unless another is named."""
    return under or caller.actor.organ or PLATFORM


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform.authz)
    _add_deciding(pages, platform.authz)


def _add_looking(pages: Pages, authz: "Authz") -> None:
    reviews = authz.reviews

    @pages.get("/console/reviews")
    def review_list(query: Look, caller: Caller) -> str:
        under = part(caller, query.under)
        found = reviews.listed_for(
            caller.actor,
            under,
            open_only=bool(query.state),
            after=query.begin(str) or "",
            limit=PAGE + 1,
        )
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "console/reviews.html",
            rows=found[:PAGE],
            following=page.next,
            under=under,
            may_begin=authz.decisions.check(
                caller.actor, "authz.begin-review", Resource("Directory", under, under)
            ).allowed,
        )

    @pages.get("/console/reviews.csv")
    def reviews_export(query: Look, caller: Caller) -> Response:
        """Every review that matches, with how far it is."""
        under = part(caller, query.under)
        reviews.permit_reading(caller.actor, under)

        def rows() -> Iterator[dict[str, Any]]:
            after = ""
            while page := reviews.campaigns(under=under, open_only=bool(query.state), after=after):
                yield from map(_campaign, page)
                after = page[-1].id

        columns = ("id", "organ", "begun", "deadline", "begun_by", "closed", "items", "undecided")
        return csv_file("reviews.csv", rows(), columns)

    @pages.get("/console/reviews/<id>")
    def review(id: str, query: LookItems, caller: Caller) -> str:  # noqa: A002 - the field's name
        under = part(caller, query.under)
        campaign = reviews.shown_for(caller.actor, id, under)
        after = position(query.after, str, str) if query.after else ("", "")
        found = reviews.items(
            id, under=under, undecided=bool(query.state), after=(after[0], after[1]), limit=PAGE + 1
        )
        rows = found[:PAGE]
        running = campaign.closed is None and campaign.deadline > authz.store.clock.now()
        mine = reviews.may_decide(caller.actor, rows) if running else (False,) * len(rows)
        return render_template(
            "console/review.html",
            campaign=campaign,
            running=running,
            rows=list(zip(rows, mine, strict=True)),
            following=cursor(rows[-1].person, rows[-1].post) if len(found) > PAGE else None,
            under=under,
            outcomes=OUTCOMES,
            open=OPEN,
        )

    @pages.get("/console/reviews/<id>/appointments.csv")
    def review_export(id: str, query: LookItems, caller: Caller) -> Response:  # noqa: A002 - the field's name
        """Every appointment of the review that matches."""
        under = part(caller, query.under)
        reviews.shown_for(caller.actor, id, under)

        def rows() -> Iterator[dict[str, Any]]:
            after = ("", "")
            while page := reviews.items(id, under=under, undecided=bool(query.state), after=after, limit=500):
                yield from map(_item, page)
                after = (page[-1].person, page[-1].post)

        return csv_file("review.csv", rows(), COLUMNS)


def _add_deciding(pages: Pages, authz: "Authz") -> None:
    reviews = authz.reviews

    def context() -> Mapping[str, Any]:
        caller = current_caller()
        under = part(caller, "")
        reviews.permit_reading(caller.actor, under)
        return {"under": under}

    @pages.form("/console/reviews/new", "console/review_new.html", context=context)
    def review_new(body: Beginning, caller: Caller) -> BaseResponse:
        deadline = authz.store.clock.now() + timedelta(days=body.days)
        made = reviews.begin(caller.actor, body.organ, deadline)
        return redirect(url_for("console.review", id=made.id, under=body.organ), 303)

    @pages.act("/console/reviews/<id>/<person>/<post>/<any(confirmed, ended):outcome>")
    def review_decide(
        id: str,  # noqa: A002 - the field's name
        person: str,
        post: str,
        outcome: _Outcome,
        caller: Caller,
    ) -> BaseResponse:
        reviews.decide(caller.actor, id, person, post, outcome)
        return redirect(url_for("console.review", id=id, state="undecided"), 303)


def _wire(at: datetime | None) -> str:
    return rfc3339(at) if at else ""


def _campaign(each: Campaign) -> dict[str, Any]:
    return {
        "id": each.id,
        "organ": each.organ,
        "begun": rfc3339(each.begun),
        "deadline": rfc3339(each.deadline),
        "begun_by": each.begun_by,
        "closed": _wire(each.closed),
        "items": each.items,
        "undecided": each.undecided,
    }


def _item(each: Item) -> dict[str, Any]:
    return {
        "person": each.person,
        "post": each.post,
        "organ": each.organ,
        "outcome": each.outcome or "",
        "decided_by": each.decided_by or "",
        "decided_at": _wire(each.decided_at),
    }
