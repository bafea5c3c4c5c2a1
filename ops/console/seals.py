"""Seals: the register, one seal with its picture and uses, the register of uses, applying, suspending, handing over."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from ops.console.export import csv_file
from seal.change import DESTROY, HAND_OVER, RESUME, SUSPEND, Reason
from seal.find import USE_COLUMNS, Filter, Registered, UseFilter
from seal.make import VERB as MAKE
from seal.models import Sort, State
from seal.picture import LARGEST
from seal.words import REASONS, SORTS, STATES
from yinxin.web import Caller, Paged, Pages, Upload, current_caller, page_of
from yinxin.wire import Model, base64_text

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
TAGS: Mapping[State, str] = {
    State.ACTIVE: "done",
    State.SUSPENDED: "waiting",
    State.REPLACED: "neutral",
    State.DESTROYED: "refused",
}
_REASONS = tuple((name, text) for name, text in REASONS.items() if name != "replaced")
COLUMNS = (
    *("id", "organ", "sort", "name", "holder", "keeper", "state", "reason", "sha256"),
    *("valid_from", "valid_until", "created", "changed", "replaces"),
)


class Look(Paged):
    """Which seals; no organ is the own one with those below."""

    organ: str = Field(default="", max_length=64)
    state: str = Field(default="", max_length=16)
    name: str = Field(default="", max_length=60)

    def wanted(self) -> Filter:
        """The conditions."""
        return Filter(organ=self.organ, state=self.state, name=self.name)


class LookUses(Paged):
    """Which uses."""

    organ: str = Field(default="", max_length=64)
    seal: str = Field(default="", max_length=40)
    person: str = Field(default="", max_length=80)
    subject: str = Field(default="", max_length=200)

    def wanted(self) -> UseFilter:
        """The conditions."""
        return UseFilter(self.organ, self.seal, self.person, self.subject)


class NewSeal(Model):
    """The form of an application."""

    organ: str = Field(min_length=1, max_length=64)
    sort: Sort = Sort.UNIT
    name: str = Field(default="", max_length=60)
    holder: str = Field(default="", max_length=64)
    keeper: str = Field(min_length=1, max_length=64)
    width: int = Field(default=0, ge=0, le=80)
    replaces: str = Field(default="", max_length=40)
    reason: str = Field(min_length=1, max_length=2000)


class Suspension(Model):
    """Why it is taken out of use."""

    reason: Reason


class Keeper(Model):
    """Who keeps it from here on."""

    post: str = Field(min_length=1, max_length=64)


class Return(Model):
    """Why it is to be used again."""

    why: str = Field(min_length=1, max_length=2000)


class Ending(Model):
    """Why it is to be destroyed."""

    reason: Reason
    why: str = Field(min_length=1, max_length=2000)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform)
    _add_uses(pages, platform)
    _add_acting(pages, platform)


def _add_looking(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/seals")
    def seal_list(query: Look, caller: Caller) -> str:
        found = platform.seal.search(
            caller.actor, query.wanted(), after=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "console/seals.html",
            rows=found[:PAGE],
            following=page.next,
            states=STATES,
            tags=TAGS,
            choices=[(state.value, text) for state, text in STATES.items()],
            sorts=SORTS,
        )

    @pages.get("/console/seals.csv")
    def seals_export(query: Look, caller: Caller) -> Response:
        """Every seal that matches."""
        first = platform.seal.search(caller.actor, query.wanted(), limit=200)

        def rows() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                yield from (each.fields() for each in page)
                page = platform.seal.search(caller.actor, query.wanted(), after=page[-1].id, limit=200)

        return csv_file("seals.csv", rows(), COLUMNS)

    @pages.get("/console/seals/<id_>")
    def seal_show(id_: str, caller: Caller) -> str:
        found = platform.seal.show(caller.actor, id_)
        uses = platform.seal.uses(caller.actor, UseFilter(seal=id_), limit=10)
        return render_template("console/seal.html", **_shown(platform, caller, found), uses=uses)

    @pages.get("/console/seals/<id_>/picture.png")
    def seal_picture(id_: str, caller: Caller) -> Response:
        found = platform.seal.show(caller.actor, id_)
        return Response(found.structure.picture.data, mimetype="image/png")

    @pages.get("/console/seals/<id_>/seal.esl")
    def seal_structure(id_: str, caller: Caller) -> Response:
        """The structure as its maker signed it (GB/T 38540)."""
        found = platform.seal.show(caller.actor, id_)
        named = {"Content-Disposition": f'attachment; filename="{found.id}.esl"'}
        return Response(found.der, mimetype="application/octet-stream", headers=named)


def _shown(platform: "Platform", caller: Caller, found: Registered) -> dict[str, Any]:
    usable = found.state in (State.ACTIVE, State.SUSPENDED)
    return {
        "seal": found,
        "structure": found.structure,
        "state": (STATES[found.state], TAGS[found.state]),
        "sort": SORTS[found.sort],
        "reason": REASONS.get(found.reason or ""),
        "posts": [(each.id, each.name) for each in platform.authz.directory.posts(found.organ)],
        "reasons": _REASONS,
        "may_suspend": found.state is State.ACTIVE and platform.seal.may(caller.actor, SUSPEND, found),
        "may_hand_over": usable and platform.seal.may(caller.actor, HAND_OVER, found),
        "usable": usable,
    }


def _add_uses(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/seal-uses")
    def seal_uses(query: LookUses, caller: Caller) -> str:
        found = platform.seal.uses(caller.actor, query.wanted(), after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template("console/seal_uses.html", rows=found[:PAGE], following=page.next)

    @pages.get("/console/seal-uses.csv")
    def seal_uses_export(query: LookUses, caller: Caller) -> Response:
        """Every use that matches."""
        found = platform.seal.every_use(caller.actor, query.wanted())
        return csv_file("seal-uses.csv", (each.fields() for each in found), USE_COLUMNS)


def _add_acting(pages: Pages, platform: "Platform") -> None:
    def choices() -> Mapping[str, Any]:
        return {"sorts": [(sort.value, text) for sort, text in SORTS.items()]}

    def one(id_: str) -> Mapping[str, Any]:
        return _shown(platform, current_caller(), platform.seal.show(current_caller().actor, id_))

    @pages.form("/console/seals/new", "console/seal_new.html", context=choices)
    def seal_new(body: NewSeal, file: Upload | None, caller: Caller) -> BaseResponse:
        plan = body.model_dump(exclude={"reason"}) | {"picture": _picture(file)}
        return _propose(platform, caller, MAKE, plan, body.reason)

    @pages.form("/console/seals/<id_>/suspension", "console/seal_suspend.html", context=one)
    def seal_suspend(id_: str, body: Suspension, caller: Caller) -> BaseResponse:
        platform.seal.suspend(caller.actor, id_, body.reason)
        return redirect(url_for("console.seal_show", id_=id_), 303)

    @pages.form("/console/seals/<id_>/keeper", "console/seal_hand_over.html", context=one)
    def seal_hand_over(id_: str, body: Keeper, caller: Caller) -> BaseResponse:
        platform.seal.hand_over(caller.actor, id_, body.post)
        return redirect(url_for("console.seal_show", id_=id_), 303)

    @pages.form("/console/seals/<id_>/return", "console/seal_resume.html", context=one)
    def seal_resume(id_: str, body: Return, caller: Caller) -> BaseResponse:
        return _propose(platform, caller, RESUME, {"seal": id_}, body.why)

    @pages.form("/console/seals/<id_>/end", "console/seal_destroy.html", context=one)
    def seal_destroy(id_: str, body: Ending, caller: Caller) -> BaseResponse:
        return _propose(platform, caller, DESTROY, {"seal": id_, "reason": body.reason}, body.why)


def _propose(
    platform: "Platform", caller: Caller, kind: str, content: Mapping[str, Any], reason: str
) -> BaseResponse:
    shown = platform.authz.proposals.propose(caller.actor, kind, dict(content), reason=reason)
    return redirect(url_for("console.proposal", proposal=shown.row.id), 303)


def _picture(file: Upload | None) -> str:
    return base64_text(file.stream.read(LARGEST + 1)) if file else ""
