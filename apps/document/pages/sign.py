"""Signing in the browser: signing off, countersigning, receipts, returns and handing back, as any statement is signed (`yinxin.web.signing`)."""

from collections.abc import Mapping
from typing import Any, cast, get_args

from flask import url_for

from apps.document import receive, sign_off
from apps.document.desk import Desk
from apps.document.joint import countersign
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS, resource
from yinxin.documents import Answer, Signable
from yinxin.documents_beside import Countersigning
from yinxin.web import Pages, current_caller
from yinxin.web.signing import Act, reason, signed

_VERBS = ", ".join(f"'{verb}'" for verb in get_args(Signable))


def add(pages: Pages, desk: Desks) -> None:
    """Declare the page."""

    def context(document: str, verb: str) -> Mapping[str, Any]:
        row = DOCUMENTS.read(desk(current_caller()), document)
        return {"row": row, "verb": verb, "back": url_for("document.show", document=document)}

    @signed(pages, f"/<document>/sign/<any({_VERBS}):verb>", "document/sign.html", context=context)
    def sign(document: str, verb: str) -> Act:
        at_desk = desk(current_caller())

        def due() -> bytes:
            """What is to be signed, if this person may, as things stand: a refusal is told before she has signed anything."""
            row = DOCUMENTS.read(at_desk, document)
            at_desk.core.require(verb, resource(row))
            DOCUMENTS.in_turn(row, verb)
            return _statement(at_desk, document, verb, reason())

        def take(statement: bytes, signature: bytes) -> None:
            _take(at_desk, document, verb, reason(), signed=statement, signature=signature)

        return Act(due, take, url_for("document.show", document=document))


def _statement(desk: Desk, document: str, verb: str, why: str) -> bytes:
    if verb == sign_off.SIGN_OFF:
        return sign_off.statement(desk, document)
    if verb in get_args(Countersigning):
        return countersign.statement(desk, document, cast("Countersigning", verb))
    return receive.statement(desk, document, cast("Answer", verb), why or None)


def _take(desk: Desk, document: str, verb: str, why: str, *, signed: bytes, signature: bytes) -> None:
    if verb == sign_off.SIGN_OFF:
        sign_off.sign_off(desk, document, signed, signature)
        return
    if verb in get_args(Countersigning):
        countersign.countersign(desk, document, cast("Countersigning", verb), signed, signature)
        return
    answer = cast("Answer", verb)
    receive.answer(desk, document, answer, signed=signed, signature=signature, reason=why or None)
