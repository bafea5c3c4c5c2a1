"""Composing: the clerk hands in her own file; everything wrong with it is said at once, and nothing is lost."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Literal, cast

from flask import redirect, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response

from apps.document import draft
from apps.document.desk import Desk
from apps.document.desk import content as newest_content
from apps.document.layout import read_draft
from apps.document.layout.errors import DraftTooLarge
from apps.document.layout.kinds import Kind
from apps.document.manuscript.begin import begin, under_way
from apps.document.manuscript.text import text_of_draft
from apps.document.models import Document
from apps.document.pages import words
from apps.document.pages.desks import Desks
from apps.document.pages.elsewhere import elsewhere
from apps.document.pages.secrecy import Secrecy, as_filled, at_its_field, grade_of
from apps.document.pages.tree import tree
from apps.document.records import DOCUMENTS
from apps.document.states import GRADES
from apps.document.template.records import offered, version
from yinxin.authz import Level
from yinxin.documents import DraftIn, SecrecyIn
from yinxin.exchange import Reached
from yinxin.faults import sentence
from yinxin.grade import Grade
from yinxin.manuscripts import TextIn
from yinxin.web import Caller, Pages, Upload, current_caller, kit
from yinxin.web.errors import Fault, InvalidRequest

_FILE = sentence({"type": "missing", "msg": "A file is needed here"})


class Compose(Secrecy):
    """The form; `find` narrows the list of organs and means nothing for the document."""

    kind: Kind
    recipients: tuple[str, ...] = Field(default=(), max_length=500)
    copied_to: tuple[str, ...] = Field(default=(), max_length=500)
    skips: str = Field(default="", max_length=2000)
    level: Level = "internal"
    urgency: Literal["", "特急", "加急"] = ""
    find: str = ""
    write: Literal["", "yes"] = ""
    """Write the text in the browser, from the template or the file that is named, or from nothing."""
    template: str = Field(default="", max_length=40)


class Revision(Secrecy):
    """The form of a revision: kind and level stay."""

    recipients: tuple[str, ...] = Field(default=(), max_length=500)
    copied_to: tuple[str, ...] = Field(default=(), max_length=500)
    skips: str = Field(default="", max_length=2000)
    urgency: Literal["", "特急", "加急"] = ""
    find: str = ""


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def blank() -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        reached = _reached(at_desk)
        return _context(_ticked(), reached) | {
            "elsewhere": elsewhere(reached, None, ()),
            "filled": {},
            "templates": offered(at_desk),
            "manuscripts": under_way(at_desk),
        }

    @pages.form("/new", "document/compose.html", context=blank, limit=draft.LARGEST + (1 << 16))
    def compose(body: Compose, content: Upload | None, caller: Caller) -> Response:
        at_desk = desk(caller)
        reference = f"page:{kit().store.identifier()}"
        if body.write:
            with at_its_field(body):
                made = _begun(at_desk, body, content, reference)
            return redirect(url_for("document.write", manuscript=made), 303)
        if content is None:
            raise InvalidRequest(faults=(Fault("form", "/content", "missing", _FILE),))
        new = _new(at_desk, body, content, reference=reference, kind=body.kind, level=body.level)
        with at_its_field(body):
            made = draft.draft(at_desk, new)
        return redirect(url_for("document.show", document=made), 303)

    def before(document: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        row: Document = DOCUMENTS.read(at_desk, document)
        named = () if request.values else (*row.recipients, *row.copied_to)
        with at_desk.store.read() as session:
            filled = as_filled(GRADES.current(session, document))
        reached = _reached(at_desk)
        beyond = elsewhere(reached, cast("Level", row.level), named)
        return _context(named or _ticked(), reached) | {"row": row, "elsewhere": beyond, "filled": filled}

    @pages.form(
        "/<document>/revise", "document/compose.html", context=before, limit=draft.LARGEST + (1 << 16)
    )
    def revise(document: str, body: Revision, content: Upload | None, caller: Caller) -> Response:
        """Without a file the text stays, and what goes with it is changed."""
        at_desk = desk(caller)
        row: Document = DOCUMENTS.read(at_desk, document)
        kind, level = Kind(row.kind), cast("Level", row.level)
        file = _kept(at_desk, document) if content is None else content
        new = _new(at_desk, body, file, reference=row.reference, kind=kind, level=level)
        with at_its_field(body):
            draft.revise(at_desk, document, new)
        return redirect(url_for("document.show", document=document), 303)


def _new(
    desk: Desk, body: Compose | Revision, content: Upload, *, reference: str, kind: Kind, level: Level
) -> draft.NewDocument:
    return draft.NewDocument(
        reference=reference,
        kind=kind,
        filename=content.name,
        data=_read(content),
        recipients=body.recipients,
        level=level,
        urgency=body.urgency or None,
        copied_to=body.copied_to,
        skips=body.skips.strip() or None,
        grade=grade_of(desk, level, body),
    )


def _begun(desk: Desk, body: Compose, content: Upload | None, reference: str) -> str:
    """A manuscript of what the form says, with the text of the file or of the template, or without any."""
    text, revision, kind = TextIn(), None, body.kind
    if content is not None:
        text = text_of_draft(read_draft(_read(content), content.name))
    elif body.template:
        found = version(desk, body.template)
        text, revision, kind = TextIn.model_validate(found.text), found.revision, Kind(found.kind)
    grade = grade_of(desk, body.level, body)
    facts = DraftIn(
        reference=reference,
        kind=kind.value,
        recipients=body.recipients,
        copied_to=body.copied_to,
        skips=body.skips.strip() or None,
        level=body.level,
        urgency=body.urgency or None,
        secrecy=None if grade is None else _secrecy(grade),
    )
    return begin(desk, facts, text, template=body.template or None if revision else None, revision=revision)


def _secrecy(grade: Grade) -> SecrecyIn:
    return SecrecyIn(
        amount=grade.amount,
        unit=grade.unit.value,
        until=grade.until,
        condition=grade.condition,
        basis=grade.basis,
    )


def _kept(desk: Desk, document: str) -> Upload:
    """The file of the newest version."""
    with desk.store.read() as session:
        newest = newest_content(session, document)
        return Upload(newest.filename, "", len(newest.source), BytesIO(newest.source))


def _ticked() -> tuple[str, ...]:
    """The organs that the form already names."""
    return (*request.values.getlist("recipients"), *request.values.getlist("copied_to"))


def _reached(desk: Desk) -> Sequence[Reached]:
    return desk.carrier.reached(desk.caller.actor.organ or "")


def _read(content: Upload) -> bytes:
    if content.size > draft.LARGEST:
        raise DraftTooLarge(size=content.size, limit=draft.LARGEST)
    return content.stream.read()


def _context(chosen: Sequence[str], reached: Sequence[Reached]) -> dict[str, Any]:
    """What the form offers of this site; an organ that is reached at another one is offered there, with what it is cleared for."""
    return {
        "kinds": words.kinds(),
        "levels": words.levels(),
        "urgencies": words.urgencies(),
        "organs": tree(chosen, without={each.organ for each in reached}),
    }
