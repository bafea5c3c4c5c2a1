"""Composing: the clerk hands in her own file; everything wrong with it is said at once, and nothing is lost."""

from collections.abc import Mapping
from typing import Any, Literal

from flask import redirect, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.wrappers import Response

from apps.document import draft
from apps.document.layout.errors import DraftTooLarge
from apps.document.layout.kinds import Kind
from apps.document.pages import words
from apps.document.pages.desks import Desks
from yinxin.authz import Level
from yinxin.web import Caller, Pages, Upload, core, kit, reader_language


class Compose(BaseModel):
    """The form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    recipients: tuple[str, ...] = Field(min_length=1)
    level: Level = "internal"
    urgency: Literal["", "特急", "加急"] = ""


def add(pages: Pages, desk: Desks) -> None:
    """Declare the page."""

    @pages.form("/new", "document/compose.html", context=_context)
    def compose(body: Compose, content: Upload, caller: Caller) -> Response:
        if content.size > draft.LARGEST:
            raise DraftTooLarge(size=content.size, limit=draft.LARGEST)
        new = draft.NewDocument(
            reference=f"page:{kit().store.identifier()}",
            kind=body.kind,
            filename=content.name,
            data=content.stream.read(),
            recipients=body.recipients,
            level=body.level,
            urgency=body.urgency or None,
        )
        return redirect(url_for("document.show", document=draft.draft(desk(caller), new)), 303)


def _context() -> Mapping[str, Any]:
    language = reader_language()
    with core() as client:
        organs = [(each.id, each.name.zh if language == "zh" else each.name.en) for each in client.authz.organs()]
    return {"kinds": words.kinds(), "levels": words.levels(), "urgencies": words.urgencies(), "organs": organs}
