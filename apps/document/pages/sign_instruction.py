"""Signing an instruction in the browser, as any statement is signed (`yinxin.web.signing`)."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

from apps.document.intake import decide
from apps.document.intake.records import INTAKES, resource
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from yinxin.web import Pages, current_caller
from yinxin.web.signing import Act, reason, signed


def add(pages: Pages, desk: Desks) -> None:
    """Declare the page."""

    def context(intake: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        row = INTAKES.read(at_desk, intake)
        return {
            "row": DOCUMENTS.snapshot(at_desk, row.document),
            "verb": decide.INSTRUCT,
            "back": url_for("document.intake", intake=intake),
        }

    @signed(pages, "/intake/<intake>/sign", "document/sign.html", context=context)
    def sign_instruction(intake: str) -> Act:
        at_desk = desk(current_caller())

        def due() -> bytes:
            """What is to be signed, if this person may, as things stand: a refusal is told before she has signed anything."""
            row = INTAKES.read(at_desk, intake)
            at_desk.core.require(decide.INSTRUCT, resource(row))
            INTAKES.in_turn(row, decide.INSTRUCT)
            return decide.statement(at_desk, intake, reason())

        def take(statement: bytes, signature: bytes) -> None:
            decide.instruct(at_desk, intake, reason(), signed=statement, signature=signature)

        return Act(due, take, url_for("document.intake", intake=intake))
