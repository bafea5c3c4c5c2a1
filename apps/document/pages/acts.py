"""What is done from a document's page by a button, or by a button and a reason."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, redirect, url_for
from pydantic import Field
from werkzeug.wrappers import Response as Answered

from apps.document import dispatch, export, name_seal, number, review, seal
from apps.document.desk import Desk
from apps.document.joint.urge import urge
from apps.document.pages.desks import Desks
from apps.document.pages.files import handed_out
from apps.document.records import DOCUMENTS
from yinxin.evidence import MEDIA_TYPE
from yinxin.web import Caller, Pages, current_caller
from yinxin.wire import Model

#: the acts that are one button
BUTTONS: Mapping[str, Callable[[Desk, str], object]] = {
    "document.submit": review.submit,
    "document.approve": review.approve,
    "document.approve-joint": review.approve,
    "document.urge-countersign": urge,
    "document.put-name-seal": name_seal.put,
    "document.number": number.number,
    "document.begin-seal": seal.seal,
    "document.dispatch": dispatch.dispatch,
}
#: the acts that have a page of their own, with the endpoint of that page
PAGES = {
    "document.revise": "document.revise",
    "document.attach": "document.attach_file",
    "document.name-countersigners": "document.name_countersigners",
    "document.send-back": "document.send_back",
    "document.countersign": "document.sign",
    "document.concur": "document.sign",
    "document.refuse-countersign": "document.refuse_countersign",
    "document.sign-off": "document.sign",
    "document.receive": "document.sign",
    "document.return": "document.give_reason",
    "document.give-back": "document.sign",
    "document.redispatch": "document.redispatch",
    "document.print": "document.print_numbered",
    "document.urge": "document.urge",
    "document.withdraw": "document.withdraw",
    "document.recall": "document.recall",
}
_VERBS = ", ".join(f"'{verb}'" for verb in BUTTONS)


class Reason(Model):
    """Why a document goes back."""

    reason: str = Field(min_length=1, max_length=2000)


def add(pages: Pages, desk: Desks) -> None:
    """Declare the acts."""

    @pages.act(f"/<document>/acts/<any({_VERBS}):verb>")
    def act(document: str, verb: str, caller: Caller) -> Answered:
        BUTTONS[verb](desk(caller), document)
        return redirect(url_for("document.show", document=document), 303)

    @pages.act("/<document>/evidence")
    def evidence(document: str, caller: Caller) -> Response:
        at_desk = desk(caller)
        data = export.export(at_desk, document)
        return handed_out(data, MEDIA_TYPE, f"{DOCUMENTS.read(at_desk, document).number}.asice")

    def back(document: str) -> Mapping[str, Any]:
        return {"row": DOCUMENTS.read(desk(current_caller()), document), "verb": "document.send-back"}

    def returned(document: str) -> Mapping[str, Any]:
        return {"row": DOCUMENTS.read(desk(current_caller()), document), "verb": "document.return"}

    @pages.form("/<document>/send-back", "document/reason.html", context=back)
    def send_back(document: str, body: Reason, caller: Caller) -> Answered:
        review.send_back(desk(caller), document, body.reason)
        return redirect(url_for("document.show", document=document), 303)

    @pages.form("/<document>/return", "document/reason.html", context=returned)
    def give_reason(document: str, body: Reason, caller: Caller) -> Answered:  # noqa: ARG001 - the form is shown to people signed in
        return redirect(
            url_for("document.sign", document=document, verb="document.return", reason=body.reason), 303
        )
