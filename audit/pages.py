"""The auditor's pages: entries searched for, one entry in words with its proof, timelines, saved questions."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Literal

from flask import Blueprint, Response, redirect, render_template, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from audit import ask
from audit.entries import Entry, Filters
from audit.export import TYPES, octets
from audit.question import delete_for, keep_for, question_for, questions_for, share_for
from audit.service import Log
from audit.tree import TREES
from audit.words import (
    ACTORS,
    KINDS,
    OUTCOMES,
    PARTS,
    Part,
    part_of_object,
    part_of_person,
    policies_of,
    verb_of,
)
from yinxin.act import Outcome
from yinxin.clock import UTC_PLUS_8
from yinxin.crypto.suite import suite
from yinxin.tables import Format
from yinxin.text import Text
from yinxin.web import Caller, NavItem, Paged, Pages, current_caller, page_of
from yinxin.wire import Day, Model

AUDITOR = "auditor"
PAGE = 50
#: related entries shown beside one; the rest is a search away
RELATED = 20
#: what readers' dates are dates of
COLOURS = {
    Outcome.INTENT: "waiting",
    Outcome.DONE: "done",
    Outcome.REFUSED: "refused",
    Outcome.FAILED: "refused",
}


class Look(Paged):
    """What to look for; a field left empty is anything. Dates are of Beijing, both included."""

    actor: str = Field(default="", max_length=200)
    post: str = Field(default="", max_length=80)
    organ: str = Field(default="", max_length=80)
    below: Literal["", "1"] = ""
    object: str = Field(default="", max_length=300)
    verb: str = Field(default="", max_length=80)
    outcome: Literal["", "intent", "done", "refused", "failed"] = ""
    since: Day | Literal[""] = ""
    until: Day | Literal[""] = ""
    request: str = Field(default="", max_length=80)
    error: str = Field(default="", max_length=80)

    @property
    def filters(self) -> Filters:
        """As the log takes it."""
        names = ("actor", "post", "object", "verb", "outcome", "request", "error")
        given: dict[str, Any] = {name: getattr(self, name).strip() or None for name in names}
        given["under" if self.below else "organ"] = self.organ.strip() or None
        since, until = _begin(self.since), _begin(self.until)
        return Filters(**given, since=since, until=until and until + timedelta(days=1))


class Export(Look):
    """What to export, and how."""

    format: Format = "csv"


class Span(Paged):
    """Which days of a timeline; a date left empty is no bound."""

    since: Day | Literal[""] = ""
    until: Day | Literal[""] = ""

    def of(self, filters: Filters) -> Filters:
        """The filters within these days."""
        until = _begin(self.until)
        return filters.within(_begin(self.since), until and until + timedelta(days=1))


class Keep(Look):
    """A question to be kept under a name."""

    name: str = Field(min_length=1, max_length=100)
    days: int | None = Field(default=None, ge=1, le=3660)
    shared: Literal["", "1"] = ""


class Sharing(Model):
    """Whether the other auditors may ask it."""

    shared: Literal["", "1"] = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is shown in lists."""

    entry: Entry
    verb: Text
    outcome: Text
    colour: str
    actor: dict[str, Any]
    stranger: Text | None
    error: str | None
    part: Text | None = None


def _begin(day: date | Literal[""]) -> datetime | None:
    return datetime.combine(day, time(), UTC_PLUS_8) if isinstance(day, date) else None


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The blueprint of the pages."""
    pages = Pages(
        "audit",
        __name__,
        navigation=(NavItem(Text("审计", "Audit"), "audit.search", frozenset({AUDITOR})),),
    )
    _add_search(pages, log)
    _add_entry(pages, log)
    _add_timelines(pages, log)
    _add_questions(pages, log)
    return (pages.blueprint,)


def _add_search(pages: Pages, log: Log) -> None:
    @pages.get("/console/audit")
    def search(query: Look, caller: Caller) -> str:
        found = ask.entries_for(log, caller.actor, query.filters, before=query.begin(int), limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda entry: entry.index, show=lambda entry: entry.index)
        asked = {name: value for name, value in request.args.to_dict().items() if value and name != "after"}
        return render_template(
            "audit/search.html",
            lines=[line(log, entry) for entry in found[:PAGE]],
            following=page.next,
            asked=asked,
            verbs=_verbs(log),
            outcomes=OUTCOMES,
        )

    @pages.get("/console/audit/export")
    def export(query: Export, caller: Caller) -> Response:
        found = ask.every_for(log, caller.actor, query.filters)
        headers = {"Content-Disposition": f'attachment; filename="entries.{query.format}"'}
        return Response(octets(found, query.format), content_type=TYPES[query.format], headers=headers)


def _add_entry(pages: Pages, log: Log) -> None:
    @pages.get("/console/audit/entries/<id>")
    def entry(id: str, caller: Caller) -> str:  # noqa: A002 - the parameter's name in the address
        found = ask.entry_for(log, caller.actor, id)
        event = found.fields()
        related: tuple[Entry, ...] = ()
        if found.request is not None:
            wanted = Filters(request=event["request"])
            related = ask.entries_for(log, caller.actor, wanted, limit=RELATED)
        return render_template(
            "audit/entry.html",
            line=line(log, found),
            event=event,
            objects=sorted(found.objects()),
            policies=policies_of(log.around, event),
            related=[line(log, each) for each in reversed(related)],
            signed=log.covered(),
            suites=TREES,
            kinds=KINDS,
            facts=_flat(event.get("facts", {})),
            personal=found.personal(),
            text=json.dumps(event, ensure_ascii=False, indent=2, sort_keys=True),
        )

    @pages.get("/console/audit/entries/<id>/proof/<name>")
    def proof(id: str, name: str, caller: Caller) -> Response:  # noqa: A002 - the parameter's name in the address
        made = ask.export_for(log, caller.actor, id, suite(name))
        headers = {"Content-Disposition": f'attachment; filename="{made.index}.{name}.tlog-proof"'}
        return Response(made.encode(), content_type="text/plain; charset=utf-8", headers=headers)


def _add_timelines(pages: Pages, log: Log) -> None:
    @pages.get("/console/audit/people/<id>")
    def person(id: str, query: Span, caller: Caller) -> str:  # noqa: A002 - the parameter's name in the address
        return _timeline(
            id, "person", Filters(person=id), query, caller, lambda each: part_of_person(each, id)
        )

    @pages.get("/console/audit/objects/<path:id>")
    def thing(id: str, query: Span, caller: Caller) -> str:  # noqa: A002 - the parameter's name in the address
        return _timeline(
            id, "object", Filters(object=id), query, caller, lambda each: part_of_object(each, id)
        )

    def _timeline(  # noqa: PLR0917 - one page, told apart by these
        name: str, kind: str, filters: Filters, query: Span, caller: Caller, part: Callable[[Entry], Part]
    ) -> str:
        wanted = query.of(filters)
        found = ask.entries_for(log, caller.actor, wanted, before=query.begin(int), limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.index, show=lambda each: each.index)
        lines = [line(log, each, PARTS[part(each)]) for each in found[:PAGE]]
        days = groupby(lines, key=lambda each: each.entry.time.astimezone(UTC_PLUS_8).date())
        return render_template(
            "audit/timeline.html",
            name=name,
            kind=kind,
            what=KINDS.get(name.partition(":")[0]) if kind == "object" else None,
            days=[(day, list(each)) for day, each in days],
            following=page.next,
            acted=PARTS[Part.ACTED],
        )


def _add_questions(pages: Pages, log: Log) -> None:
    def context() -> dict[str, Any]:
        """The list, and what is to be kept in words."""
        return {
            "questions": questions_for(log, current_caller().actor),
            "verbs": _verbs(log),
            "outcomes": OUTCOMES,
        }

    @pages.form("/console/audit/questions", "audit/questions.html", context=context)
    def questions(body: Keep, caller: Caller) -> BaseResponse:
        keep_for(log, caller.actor, body.name.strip(), body.filters, days=body.days, shared=bool(body.shared))
        return redirect(url_for("audit.questions"), 303)

    @pages.get("/console/audit/questions/<id>")
    def question(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the parameter's name in the address
        """What it asks for now, as a search that can be refined."""
        found = question_for(log, caller.actor, id)
        wanted: dict[str, Any] = dict(found.at(log.store.clock.now()).fields())
        if "under" in wanted:
            wanted |= {"organ": wanted.pop("under"), "below": "1"}
        for name in ("since", "until"):
            if name in wanted:
                wanted[name] = _day(wanted[name], name)
        return redirect(url_for("audit.search", **wanted), 303)

    @pages.act("/console/audit/questions/<id>/sharing")
    def question_share(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the parameter's name in the address
        share_for(log, caller.actor, id, shared=True)
        return redirect(url_for("audit.questions"), 303)

    @pages.act("/console/audit/questions/<id>/keeping")
    def question_unshare(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the parameter's name in the address
        share_for(log, caller.actor, id, shared=False)
        return redirect(url_for("audit.questions"), 303)

    @pages.act("/console/audit/questions/<id>/deletion")
    def question_delete(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the parameter's name in the address
        delete_for(log, caller.actor, id)
        return redirect(url_for("audit.questions"), 303)


def line(log: Log, entry: Entry, part: Text | None = None) -> Line:
    """An entry as it is shown in lists."""
    event = entry.fields()
    return Line(
        entry,
        verb_of(log.around, event["verb"]),
        OUTCOMES[event["outcome"]],
        COLOURS[event["outcome"]],
        event["actor"],
        ACTORS.get(event["actor"]["kind"]),
        event.get("error"),
        part,
    )


def _verbs(log: Log) -> Sequence[tuple[str, Text, Sequence[tuple[str, Text]]]]:
    """Modules, each with its acts, for a choice."""
    verbs = log.around.verbs()
    return [
        (name, title, [each for each in verbs if each[0].startswith(f"{name}.")])
        for name, title in log.around.modules()
    ]


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Facts as pairs of name and text, inner ones by their path."""
    if isinstance(value, dict):
        return [each for key in sorted(value) for each in _flat(value[key], f"{name}.{key}" if name else key)]
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [(name, ", ".join(value))]
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]


def _day(text: str, name: str) -> str:
    """The day in Beijing of an RFC 3339 instant: the first that belongs to `since`, the last that belongs to `until`."""
    at = datetime.fromisoformat(text).astimezone(UTC_PLUS_8)
    return (at if name == "since" else at - timedelta(microseconds=1)).date().isoformat()
