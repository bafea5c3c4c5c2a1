"""Numbered copies on pages: printing one, taking it back, destroying it, and confirming that."""

from collections.abc import Mapping
from typing import Any

from flask import Response, redirect, url_for
from pydantic import Field
from werkzeug.wrappers import Response as Answered

from apps.document.numbered import end
from apps.document.numbered.print import VERB, print_copy
from apps.document.pages.acts import Reason
from apps.document.pages.desks import Desks
from apps.document.pages.files import handed_out
from apps.document.records import DOCUMENTS
from yinxin.web import Caller, Pages, current_caller
from yinxin.wire import Model


class Print(Model):
    """For whom it is printed, if that is to be shown."""

    reader: str = Field(default="", max_length=100)


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def back(document: str) -> Answered:
        return redirect(url_for("document.show", document=document) + "#numbered", 303)

    def about(document: str) -> Mapping[str, Any]:
        return {"row": DOCUMENTS.read(desk(current_caller()), document), "verb": VERB}

    @pages.form("/<document>/print", "document/print.html", context=about)
    def print_numbered(document: str, body: Print, caller: Caller) -> Response:
        at_desk = desk(caller)
        made = print_copy(at_desk, document, body.reader)
        number = DOCUMENTS.read(at_desk, document).number
        return handed_out(made.pdf, "application/pdf", f"{number}-{made.number}.pdf")

    @pages.act("/<document>/numbered/<int:number>/taking-back")
    def take_back_copy(document: str, number: int, caller: Caller) -> Answered:
        end.take_back(desk(caller), document, number)
        return back(document)

    def of_copy(document: str, number: int) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        return {**about(document), "verb": end.DESTROY, "number": end.shown(at_desk, document, number)}

    @pages.form("/<document>/numbered/<int:number>/destruction", "document/destroy.html", context=of_copy)
    def destroy_copy(document: str, number: int, body: Reason, caller: Caller) -> Answered:
        end.destroy(desk(caller), document, number, body.reason)
        return back(document)

    @pages.act("/<document>/numbered/<int:number>/witness")
    def witness_destruction(document: str, number: int, caller: Caller) -> Answered:
        end.witness(desk(caller), document, number)
        return back(document)
