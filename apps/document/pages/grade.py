"""Deciding on a document's secrecy in the browser: the form says what, and the leader signs that, as any statement is signed (`yinxin.web.signing`)."""

from collections.abc import Mapping
from typing import Any, Literal

from flask import redirect, request, url_for
from pydantic import Field, ValidationError
from werkzeug.wrappers import Response

from apps.document import regrade
from apps.document.decisions import DECLASSIFY, EXTEND, NAMED
from apps.document.pages.desks import Desks
from apps.document.pages.secrecy import Secrecy, at_its_field
from apps.document.records import DOCUMENTS, resource
from apps.document.states import GRADES
from yinxin.grade import CLASSIFIED, NoTerm
from yinxin.text import Text
from yinxin.web import Caller, Pages, current_caller
from yinxin.web.errors import Fault, InvalidRequest
from yinxin.web.faults import faults_of
from yinxin.web.signing import Act, signed


class Graded(Secrecy):
    """What is to become of the secrecy: another grade, a longer period, or none."""

    what: Literal["regrade", "extend", "declassify"] = "regrade"
    level: Literal["confidential", "secret", "top-secret"] = "confidential"
    reason: str = Field(min_length=1, max_length=2000)

    def wish(self) -> regrade.Wish:
        """What the leader is to sign; raises InvalidRequest at the field of a period that is not said."""
        verb = NAMED[self.what]
        if verb == DECLASSIFY:
            return regrade.Wish(verb, None, self.reason)
        try:
            return regrade.Wish(verb, self.grade(self.level), self.reason)
        except NoTerm as error:
            said = Text(error.text("zh"), error.text("en"))
            raise InvalidRequest(faults=(Fault("form", "/amount", error.code, said),)) from error


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def graded(document: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        row = DOCUMENTS.read(at_desk, document)
        with at_desk.store.read() as session:
            history = GRADES.history(session, document)
            session.expunge_all()
        return {"row": row, "grade": history[-1] if history else None}

    @pages.form("/<document>/grade", "document/grade.html", context=graded)
    def grade(document: str, body: Graded, caller: Caller) -> Response:
        with at_its_field(body):
            regrade.statement(
                desk(caller), document, body.wish()
            )  # says what is wrong before she goes on to sign
        said = body.model_dump(mode="json", exclude_defaults=True)
        return redirect(url_for("document.sign_decision", document=document, **said), 303)

    def context(document: str) -> Mapping[str, Any]:
        row = DOCUMENTS.read(desk(current_caller()), document)
        wish = _wish()
        shown = wish.grade
        if wish.verb == EXTEND and shown is not None and row.level in CLASSIFIED:
            shown = regrade.at_level(shown, row.level)
        back = url_for("document.show", document=document)
        return {
            "row": row,
            "verb": wish.verb,
            "back": back,
            "graded": shown,
            "grading": True,
            "why": wish.reason,
        }

    @signed(pages, "/<document>/grade/sign", "document/sign.html", context=context)
    def sign_decision(document: str) -> Act:
        at_desk = desk(current_caller())

        def due() -> bytes:
            """What is to be signed, if this person may, as things stand: a refusal is told before she has signed anything."""
            wish = _wish()
            row = DOCUMENTS.read(at_desk, document)
            at_desk.core.require(wish.verb, resource(row))
            DOCUMENTS.in_turn(row, wish.verb)
            return regrade.statement(at_desk, document, wish)

        def take(statement: bytes, signature: bytes) -> None:
            regrade.decide(at_desk, document, signed=statement, signature=signature)

        return Act(due, take, url_for("document.show", document=document))


def _wish() -> regrade.Wish:
    """What she wishes: from the address, and from then on from the statement that she was shown; it is held to what is due by whoever takes it. Raises InvalidRequest."""
    if "statement" in request.form:
        return regrade.wish_of(regrade.octets(request.form["statement"]))
    try:
        return Graded.model_validate(request.args.to_dict()).wish()
    except ValidationError as error:
        raise InvalidRequest(faults=faults_of(error, "query")) from error
