"""The directory: the tree of organs, an organ now and then, a person and her timeline; for everybody in a post."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from flask import Response, render_template
from pydantic import Field

from authz.directory import Organ, Version
from authz.directory.codes import LEVELS
from authz.review.matrix import COLUMNS as HOLDER_COLUMNS
from authz.review.matrix import matrix
from authz.roles import ROLES
from ops.console.export import csv_file
from ops.console.show import VERBS
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, page_of
from yinxin.wire import Instant, Model

if TYPE_CHECKING:
    from authz.directory import Directory
    from ops.platform import Platform

PAGE = 50
STATES: dict[str, tuple[Text, str]] = {
    "active": (Text("在册", "active"), "done"),
    "merged": (Text("已合并", "merged"), "neutral"),
    "split": (Text("已分设", "split"), "neutral"),
    "dissolved": (Text("已撤销", "dissolved"), "refused"),
}
KINDS: dict[str, Text] = {
    "substantive": Text("任职", "in post"),
    "acting": Text("代理", "acting"),
    "delegation": Text("授权代行", "by delegation"),
}
ENDED: dict[str, Text] = {
    "withdrawn": Text("免职", "ended"),
    "transferred": Text("调任", "transferred"),
    "retired": Text("离职", "left the service"),
    "post-ended": Text("岗位撤销", "the post was given up"),
    "not-confirmed": Text("复核未获确认", "not confirmed in a review"),
    "review": Text("复核中终止", "ended in a review"),
}
COLUMNS = (
    "id",
    "parent",
    "name_zh",
    "name_en",
    "short_name",
    "level",
    "division",
    "uscc",
    "line",
    "status",
)


class LookOrgans(Paged):
    """Which organs; a field left empty is anything."""

    name: str = Field(default="", max_length=80)
    under: str = Field(default="", max_length=64)
    level: Literal["", "province", "city", "county", "township", "department"] = ""
    line: str = Field(default="", max_length=40)
    status: Literal["", "active", "merged", "split", "dissolved"] = ""


class At(Model):
    """At which time; now if left out."""

    at: Instant | None = None


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""

    @pages.get("/console/organs")
    def organs(query: LookOrgans, caller: Caller) -> str:
        directory = platform.authz.directory_for(caller.actor)
        found = _find(directory, query, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "console/organs.html", rows=found[:PAGE], following=page.next, states=STATES, levels=LEVELS
        )

    @pages.get("/console/organs.csv")
    def organs_export(query: LookOrgans, caller: Caller) -> Response:
        """Every organ that matches."""
        directory = platform.authz.directory_for(caller.actor)

        def told() -> Iterator[dict[str, str | None]]:
            after = ""
            while page := _find(directory, query, after=after, limit=500):
                yield from map(_line, page)
                after = page[-1].id

        return csv_file("organs.csv", told(), COLUMNS)

    @pages.get("/console/organs/<id>")
    def organ(id: str, query: At, caller: Caller) -> str:  # noqa: A002 - the field's name
        directory = platform.authz.directory_for(caller.actor)
        found = directory.organ(id) if query.at is None else directory.organ_at(id, query.at)
        posts = [(post, directory.holders(post.id)) for post in directory.posts(id) if post.ended is None]
        return render_template(
            "console/organ.html",
            organ=found,
            at=query.at,
            posts=posts,
            kinds=KINDS,
            roles=ROLES,
            states=STATES,
            levels=LEVELS,
            line=directory.line_of(id),
            successions=directory.successions(id),
            history=_history(directory.history("organ", id)),
        )

    @pages.get("/console/organs/<id>/holders.csv")
    def holders_export(id: str, caller: Caller) -> Response:  # noqa: A002 - the field's name
        """Who holds what at or below the organ."""
        platform.authz.directory_for(caller.actor).organ(id)
        return csv_file("holders.csv", matrix(platform.store, id), HOLDER_COLUMNS)

    @pages.get("/console/people/<id>")
    def person(id: str, caller: Caller) -> str:  # noqa: A002 - the field's name
        directory = platform.authz.directory_for(caller.actor)
        return render_template(
            "console/person.html",
            person=directory.person(id),
            may_see_sessions=bool(caller.roles & {"security-officer", "auditor"}),
            now=platform.clock.now(),
            career=directory.career(id),
            kinds=KINDS,
            ended=ENDED,
            history=_history(directory.history("person", id)),
        )


def _find(directory: "Directory", query: LookOrgans, *, after: str, limit: int) -> tuple[Organ, ...]:
    return directory.organs(
        under=query.under or None,
        after=after,
        limit=limit,
        level=query.level or None,
        line=query.line or None,
        status=query.status or None,
        name=query.name or None,
    )


def _line(organ: Organ) -> dict[str, str | None]:
    return {
        "id": organ.id,
        "parent": organ.parent,
        "name_zh": organ.name.zh,
        "name_en": organ.name.en,
        "short_name": organ.short_name,
        "level": organ.level,
        "division": organ.division,
        "uscc": organ.uscc,
        "line": organ.line,
        "status": organ.status,
    }


def _history(versions: tuple[Version, ...]) -> list[tuple[datetime, Text, str]]:
    """When it changed, by which act, and what it was called until then."""
    return [
        (each.until, VERBS[each.verb or ""], str(each.state.get("name_zh") or each.state.get("name") or ""))
        for each in versions
        if each.until is not None
    ]
