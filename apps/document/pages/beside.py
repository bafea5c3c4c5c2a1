"""What stands beside a document: giving an opinion on it."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response

from apps.document import opinion
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from apps.document.states import COMMENTS
from yinxin.web import Caller, Pages, current_caller
from yinxin.wire import Model


class Said(Model):
    """An opinion; an answer to another, or in the place of one's own."""

    text: str = Field(min_length=1, max_length=4000)
    parent: str = Field(default="", max_length=40)
    corrects: str = Field(default="", max_length=40)


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def about(document: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        row = DOCUMENTS.read(at_desk, document)
        wanted = request.values.get("corrects") or request.values.get("parent")
        with at_desk.store.read() as session:
            thread = COMMENTS.thread(session, document, at_desk.caller.actor.organ or "")
            session.expunge_all()
        return {"row": row, "about": next((each.row for each in thread if each.row.id == wanted), None)}

    @pages.form("/<document>/opinion", "document/opinion.html", context=about)
    def give_opinion(document: str, body: Said, caller: Caller) -> Response:
        to, wrong = body.parent or None, body.corrects or None
        opinion.give(desk(caller), document, body.text, parent=to, corrects=wrong)
        return redirect(url_for("document.show", document=document) + "#opinions", 303)
