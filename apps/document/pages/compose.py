"""Composing: the clerk hands in her own file; everything wrong with it is said at once, and nothing is lost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from flask import redirect, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response

from apps.document import draft
from apps.document.layout.errors import DraftTooLarge
from apps.document.layout.kinds import Kind
from apps.document.models import Document
from apps.document.pages import words
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from yinxin.authz import Level
from yinxin.client import Organ
from yinxin.web import Caller, Pages, Upload, core, current_caller, kit, reader_language
from yinxin.wire import Model


class Compose(Model):
    """The form; `find` narrows the list of organs and means nothing for the document."""

    kind: Kind
    recipients: tuple[str, ...] = Field(default=(), max_length=500)
    level: Level = "internal"
    urgency: Literal["", "特急", "加急"] = ""
    find: str = ""


class Revision(Model):
    """The form of a revision: kind and level stay."""

    recipients: tuple[str, ...] = Field(default=(), max_length=500)
    urgency: Literal["", "特急", "加急"] = ""
    find: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """An organ to send to: how deep it stands in the tree, and whether the search is for it."""

    id: str
    name: str
    depth: int
    found: bool


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    @pages.form("/new", "document/compose.html", context=_context, limit=draft.LARGEST + (1 << 16))
    def compose(body: Compose, content: Upload, caller: Caller) -> Response:
        new = draft.NewDocument(
            reference=f"page:{kit().store.identifier()}",
            kind=body.kind,
            filename=content.name,
            data=_read(content),
            recipients=body.recipients,
            level=body.level,
            urgency=body.urgency or None,
        )
        return redirect(url_for("document.show", document=draft.draft(desk(caller), new)), 303)

    def before(document: str) -> Mapping[str, Any]:
        return _context() | {"row": DOCUMENTS.read(desk(current_caller()), document)}

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
        )
        draft.revise(at_desk, document, new)
        return redirect(url_for("document.show", document=document), 303)


def _read(content: Upload) -> bytes:
    if content.size > draft.LARGEST:
        raise DraftTooLarge(size=content.size, limit=draft.LARGEST)
    return content.stream.read()


def _context() -> dict[str, Any]:
    with core() as client:
        organs = list(_tree(client.authz.organs()))
    return {
        "kinds": words.kinds(),
        "levels": words.levels(),
        "urgencies": words.urgencies(),
        "organs": organs,
    }


def _tree(organs: Iterable[Organ]) -> Iterator[Choice]:
    """Every organ but the writer's own, each below the one it belongs to."""
    own = current_caller().actor.organ
    wanted = request.values.get("find", "").strip()
    language = reader_language()
    below: dict[str | None, list[Organ]] = {}
    for organ in organs:
        below.setdefault(organ.parent, []).append(organ)

    def walk(parent: str | None, depth: int) -> Iterator[Choice]:
        for organ in below.get(parent, ()):
            name = organ.name.zh if language == "zh" else organ.name.en
            found = wanted.lower() in f"{organ.name.zh} {organ.name.en} {organ.short_name}".lower()
            if organ.id != own:
                yield Choice(organ.id, name, depth, found)
            yield from walk(organ.id, depth + (organ.id != own))

    return walk(None, 0)
