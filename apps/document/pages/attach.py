"""Attached files: added to a draft by a form, taken off by a button, handed out to whoever may read the document."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, url_for
from werkzeug.wrappers import Response

from apps.document import attach
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from yinxin.attachment import Attachments
from yinxin.attachment.kinds import KINDS
from yinxin.web import Caller, Pages, Upload, current_caller, sent


def add(pages: Pages, desk: Desks, attachments: Attachments) -> None:
    """Declare the pages."""

    def shown(document: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        settings = attachments.settings
        return {
            "row": DOCUMENTS.read(at_desk, document),
            "files": attach.attached(at_desk, document),
            "largest": settings.form >> 20,
            "endings": settings.endings or tuple(KINDS),
        }

    @pages.form(
        "/<document>/attach",
        "document/attach.html",
        context=shown,
        limit=attachments.settings.form + (1 << 16),
    )
    def attach_file(document: str, content: Upload, caller: Caller) -> Response:
        decision = attachments.permit(caller.actor)
        taken = attachments.receiving.take(
            caller.actor, content.name, content.size, content.stream, decision.record()
        )
        attach.attach(desk(caller), document, taken.id)
        return redirect(url_for("document.show", document=document), 303)

    @pages.act("/<document>/attachments/<attachment>/removal")
    def detach(document: str, attachment: str, caller: Caller) -> Response:
        attach.detach(desk(caller), document, attachment)
        return redirect(url_for("document.show", document=document), 303)

    @pages.get("/<document>/attachments/<attachment>")
    def attachment_file(document: str, attachment: str, caller: Caller) -> Response:
        return sent(attach.handed_out(desk(caller), document, attachment))
