"""Incoming documents in the browser: the work list with its clocks, one of them with everything that can be done, the acts."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import sqlalchemy as sa
from flask import Response, redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response as Answered

from apps.document.desk import Desk
from apps.document.intake import circulate, decide, find, handle, register
from apps.document.intake.handle import Handlers
from apps.document.intake.records import INTAKES, resource
from apps.document.intake.states import LIFE
from apps.document.models import Document, State
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from apps.document.states import COPIES
from yinxin.deadline import Term, Unit
from yinxin.documents import IntakeQuery
from yinxin.store import Road
from yinxin.tables import cell
from yinxin.web import Caller, Pages, core, current_caller, cursor, position, reader_language
from yinxin.web.frame import named
from yinxin.wire import Model

BOXES: tuple[str, ...] = get_args(IntakeQuery.model_fields["box"].annotation)
#: incoming documents in an export
_MOST = 5000
#: acts that are a text and a button
_TEXTS: Mapping[str, Callable[[Desk, str, str], object]] = {
    "document.propose": decide.propose,
    "document.close": decide.close,
    "document.contribute": handle.contribute,
    "document.hurry": handle.hurry,
    "document.finish": handle.finish,
}
_VERBS = ", ".join(f"'{verb}'" for verb in _TEXTS)
#: acts with a form of their own, by the endpoint
PAGES = {
    "document.instruct": "document.instruct",
    "document.assign": "document.assign",
    "document.extend-handling": "document.extend_handling",
    "document.circulate": "document.circulate_to",
    "document.answer": "document.answer",
}


class Said(Model):
    """What somebody has to say with an act; hurrying may go without."""

    text: str = Field(default="", max_length=2000)


class Assigned(Model):
    """Who handles it, and how long they have."""

    handler: str = Field(min_length=1, max_length=80)
    joint: tuple[str, ...] = Field(default=(), max_length=50)
    amount: int = Field(default=5, ge=1, le=1000)
    unit: Literal["working-days", "days", "hours"] = "working-days"
    text: str = Field(default="", max_length=2000)


class Longer(Model):
    """How much more time, and why."""

    more: int = Field(ge=1, le=1000)
    text: str = Field(min_length=1, max_length=2000)


class Posts(Model):
    """Who is to read it."""

    posts: tuple[str, ...] = Field(min_length=1, max_length=100)


class Answering(Model):
    """The document that answers."""

    document: str = Field(min_length=1, max_length=40)


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""
    _lists(pages, desk)
    _texts(pages, desk)
    _forms(pages, desk)

    @pages.get("/intake/<intake>")
    def intake(intake: str, caller: Caller) -> str:
        at_desk = desk(caller)
        found = find.dossier(at_desk, intake)
        return render_template(
            "document/intake.html", found=found, row=found.row, acts=_permitted(at_desk, found)
        )

    @pages.act("/<document>/register")
    def register_copy(document: str, caller: Caller) -> Answered:
        return _to(register.register(desk(caller), document))

    @pages.act("/intake/<intake>/read")
    def mark_read(intake: str, caller: Caller) -> Answered:
        circulate.mark_read(desk(caller), intake)
        return _to(intake)


def _to(intake: str) -> Answered:
    return redirect(url_for("document.intake", intake=intake), 303)


def _lists(pages: Pages, desk: Desks) -> None:
    @pages.get("/intake/")
    def intakes(query: IntakeQuery, caller: Caller) -> str:
        at_desk = desk(caller)
        lines, last = find.listing(at_desk, _wanted(query))
        counts = {box: _count(at_desk, box) for box in BOXES}
        return render_template(
            "document/intakes.html",
            lines=lines,
            box=query.box,
            counts=counts,
            now=at_desk.store.clock.now(),
            following=cursor(last) if last else None,
            states=[(state, text(reader_language())) for state, text in LIFE.states.items()],
        )

    @pages.get("/intake/export.csv")
    def export_intakes(query: IntakeQuery, caller: Caller) -> Response:
        at_desk = desk(caller)
        wanted = _wanted(query)
        found: list[find.Line] = []
        while len(found) < _MOST:
            lines, last = find.listing(at_desk, wanted)
            found += lines
            if last is None:
                break
            wanted = find.Filter(wanted.box, wanted.text, wanted.state, last)
        headers = {"Content-Disposition": f'attachment; filename="intake-{query.box}.csv"'}
        return Response("\ufeff" + _csv(found), mimetype="text/csv", headers=headers)

    @pages.get("/leader")
    def leader(caller: Caller) -> str:
        at_desk = desk(caller)
        lines, _more = find.listing(at_desk, find.Filter("todo"))
        return render_template(
            "document/leader.html",
            lines=lines,
            instructions=find.instructions(at_desk),
            now=at_desk.store.clock.now(),
        )


def _wanted(query: IntakeQuery) -> find.Filter:
    after = position(query.after, str)[0] if query.after else None
    return find.Filter(query.box, query.text, query.state, after)


def _count(desk: Desk, box: str) -> str:
    number, more = find.count(desk, box)
    return f"{number}+" if more else str(number)


def _csv(lines: list[find.Line]) -> str:
    language = reader_language()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_("收文号"), _("标题"), _("来文机关"), _("状态"), _("主办"), _("办理期限")])
    for line in lines:
        row, running = line.row, line.clock
        due = running.due.at if running and not running.ended_at else None
        writer.writerow(
            [
                cell(row.number),
                cell(row.title),
                cell(named(row.sender, "organ")),
                LIFE.states[row.state](language),
                cell(named(row.main, "post")) if row.main else "",
                due.isoformat() if due else "",
            ]
        )
    return out.getvalue()


def _permitted(desk: Desk, found: find.Dossier) -> list[tuple[str, str | None]]:
    """The acts that fit the state and are this person's, each with the endpoint of its page; the way reading is marked has none."""
    post = desk.caller.actor.post
    unread = any(each.post == post and each.read_at is None for each in found.readers)
    verbs = [
        each.verb for each in LIFE.onward(found.row.state) if each.verb != "document.mark-read" or unread
    ]
    about = resource(found.row)
    with core() as client:
        answers = client.authz.check_many([(verb, about, None) for verb in verbs]) if verbs else ()
    allowed = [verb for verb, answer in zip(verbs, answers, strict=True) if answer.allowed]
    return [(verb, PAGES.get(verb, "document.say" if verb in _TEXTS else None)) for verb in allowed]


def _texts(pages: Pages, desk: Desks) -> None:
    def about(intake: str, verb: str) -> Mapping[str, Any]:
        return {"row": INTAKES.read(desk(current_caller()), intake), "verb": verb}

    @pages.form(f"/intake/<intake>/<any({_VERBS}):verb>", "document/intake_act.html", context=about)
    def say(intake: str, verb: str, body: Said, caller: Caller) -> Answered:
        _TEXTS[verb](desk(caller), intake, body.text.strip())
        return _to(intake)


def _forms(pages: Pages, desk: Desks) -> None:
    def posts(verb: str) -> Callable[[str], Mapping[str, Any]]:
        def context(intake: str) -> Mapping[str, Any]:
            at_desk = desk(current_caller())
            language = reader_language()
            own = at_desk.core.posts(at_desk.caller.actor.organ or "")
            choices = [(each.id, each.name(language)) for each in own]
            return {"row": INTAKES.read(at_desk, intake), "verb": verb, "posts": choices}

        return context

    def replies(intake: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        row = INTAKES.read(at_desk, intake)
        return {"row": row, "verb": "document.answer", "replies": _replies(at_desk, row.document)}

    @pages.form("/intake/<intake>/assign", "document/intake_act.html", context=posts("document.assign"))
    def assign(intake: str, body: Assigned, caller: Caller) -> Answered:
        term = Term(body.amount, Unit(body.unit))
        handle.assign(desk(caller), intake, Handlers(body.handler, body.joint), term, body.text.strip())
        return _to(intake)

    @pages.form(
        "/intake/<intake>/extend",
        "document/intake_act.html",
        context=lambda intake: {
            "row": INTAKES.read(desk(current_caller()), intake),
            "verb": "document.extend-handling",
        },
    )
    def extend_handling(intake: str, body: Longer, caller: Caller) -> Answered:
        handle.extend(desk(caller), intake, body.more, body.text)
        return _to(intake)

    @pages.form("/intake/<intake>/circulate", "document/intake_act.html", context=posts("document.circulate"))
    def circulate_to(intake: str, body: Posts, caller: Caller) -> Answered:
        circulate.circulate(desk(caller), intake, body.posts)
        return _to(intake)

    @pages.form("/intake/<intake>/answer", "document/intake_act.html", context=replies)
    def answer(intake: str, body: Answering, caller: Caller) -> Answered:
        handle.answer(desk(caller), intake, body.document)
        return _to(intake)

    def reading(intake: str) -> Mapping[str, Any]:
        return {"found": find.dossier(desk(current_caller()), intake)}

    @pages.form("/intake/<intake>/instruct", "document/instruct.html", context=reading)
    def instruct(intake: str, body: Said, caller: Caller) -> Answered:
        at_desk = desk(caller)
        decide.statement(at_desk, intake, body.text)  # says what is missing before she goes on to sign
        return redirect(url_for("document.sign_instruction", intake=intake, reason=body.text.strip()), 303)


def _replies(desk: Desk, document: str) -> list[tuple[str, str]]:
    """The organ's dispatched documents of which the sender has a copy, newest first."""
    asker = DOCUMENTS.snapshot(desk, document).organ
    own = sa.select(Document).where(
        Document.organ == (desk.caller.actor.organ or ""), Document.state == State.DISPATCHED
    )
    rows, _more = DOCUMENTS.page(desk, [Road(own, COPIES.sent_to(asker, Document.id))])
    return [(row.id, f"{row.number or ''} {row.title}") for row in rows]
