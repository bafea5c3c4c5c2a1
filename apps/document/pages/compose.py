"""Composing: the clerk hands in her own file; everything wrong with it is said at once, and nothing is lost."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from flask import redirect, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response

from apps.document import draft
from apps.document.desk import Desk
from apps.document.layout.errors import DraftTooLarge
from apps.document.layout.kinds import Kind
from apps.document.models import Document
from apps.document.pages import words
from apps.document.pages.desks import Desks
from apps.document.pages.elsewhere import elsewhere
from apps.document.pages.tree import choices
from apps.document.records import DOCUMENTS
from yinxin.authz import Level
from yinxin.exchange import Reached
from yinxin.web import Caller, Pages, Upload, current_caller, kit
from yinxin.wire import Model


class Compose(Model):
    """The form; `find` narrows the list of organs and means nothing for the document."""

    kind: Kind
    recipients: tuple[str, ...] = Field(default=(), max_length=500)
    copied_to: tuple[str, ...] = Field(default=(), max_length=500)
    skips: str = Field(default="", max_length=2000)
    level: Level = "internal"
    urgency: Literal["", "特急", "加急"] = ""
    find: str = ""


class Revision(Model):
    """The form of a revision: kind and level stay."""

    recipients: tuple[str, ...] = Field(default=(), max_length=500)
    copied_to: tuple[str, ...] = Field(default=(), max_length=500)
    skips: str = Field(default="", max_length=2000)
    urgency: Literal["", "特急", "加急"] = ""
    find: str = ""


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def blank() -> Mapping[str, Any]:
        return _context() | {"elsewhere": elsewhere(_reached(desk(current_caller())), None, ())}

    @pages.form("/new", "document/compose.html", context=blank, limit=draft.LARGEST + (1 << 16))
    def compose(body: Compose, content: Upload, caller: Caller) -> Response:
        new = draft.NewDocument(
            reference=f"page:{kit().store.identifier()}",
            kind=body.kind,
            filename=content.name,
            data=_read(content),
            recipients=body.recipients,
            level=body.level,
            urgency=body.urgency or None,
            copied_to=body.copied_to,
            skips=body.skips.strip() or None,
        )
        return redirect(url_for("document.show", document=draft.draft(desk(caller), new)), 303)

    def before(document: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        row: Document = DOCUMENTS.read(at_desk, document)
        named = () if request.method == "POST" else (*row.recipients, *row.copied_to)
        beyond = elsewhere(_reached(at_desk), cast("Level", row.level), named)
        return _context() | {"row": row, "elsewhere": beyond}

    @pages.form(
        "/<document>/revise", "document/compose.html", context=before, limit=draft.LARGEST + (1 << 16)
    )
    def revise(document: str, body: Revision, content: Upload, caller: Caller) -> Response:
        at_desk = desk(caller)
        row: Document = DOCUMENTS.read(at_desk, document)
        new = draft.NewDocument(
            reference=row.reference,
            kind=Kind(row.kind),
            filename=content.name,
            data=_read(content),
            recipients=body.recipients,
            level=cast("Level", row.level),
            urgency=body.urgency or None,
            copied_to=body.copied_to,
            skips=body.skips.strip() or None,
        )
        draft.revise(at_desk, document, new)
        return redirect(url_for("document.show", document=document), 303)


def _reached(desk: Desk) -> Sequence[Reached]:
    return desk.carrier.reached(desk.caller.actor.organ or "")


def _read(content: Upload) -> bytes:
    if content.size > draft.LARGEST:
        raise DraftTooLarge(size=content.size, limit=draft.LARGEST)
    return content.stream.read()


def _context() -> dict[str, Any]:
    return {
        "kinds": words.kinds(),
        "levels": words.levels(),
        "urgencies": words.urgencies(),
        "organs": choices(wanted=request.values.get("find", "").strip()),
    }
