"""Signing an instruction in the browser, as any statement is signed (`apps.document.pages.sign`)."""

import base64
from collections.abc import Mapping
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from apps.document.intake import decide
from apps.document.intake.records import INTAKES, resource
from apps.document.pages.desks import Desks
from apps.document.pages.sign import Signed, SignedWithPin, shown
from apps.document.records import DOCUMENTS
from yinxin.crypto import cms
from yinxin.flow import StaleStatement
from yinxin.statement import Statement
from yinxin.web import Caller, Pages, Upload, current_caller, signature_of


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def context(intake: str) -> Mapping[str, Any]:
        """What is to be signed, if this person may; a refusal is told before she has signed anything."""
        at_desk = desk(current_caller())
        row = INTAKES.read(at_desk, intake)
        at_desk.core.require(decide.INSTRUCT, resource(row))
        text = request.values.get("reason", "")
        data = shown() or decide.statement(at_desk, intake, text)
        return {
            "row": DOCUMENTS.snapshot(at_desk, row.document),
            "verb": decide.INSTRUCT,
            "reason": text,
            "declared": Statement.decode(data),
            "statement": base64.b64encode(data).decode(),
            "holder_key": at_desk.core.holder_key(),
            "back": url_for("document.intake", intake=intake),
            "with_pin": url_for("document.sign_instruction_with_pin", intake=intake),
        }

    @pages.form("/intake/<intake>/sign", "document/sign.html", context=context)
    def sign_instruction(intake: str, body: Signed, file: Upload | None, caller: Caller) -> Response:
        signature = signature_of(file.stream.read() if file else body.signature.encode())
        decide.instruct(desk(caller), intake, body.reason, signed=body.statement, signature=signature)
        return redirect(url_for("document.intake", intake=intake), 303)

    @pages.form("/intake/<intake>/sign/pin", "document/sign.html", context=context, unkept=True)
    def sign_instruction_with_pin(intake: str, body: SignedWithPin, caller: Caller) -> Response:
        """Sign what is shown with the key in the key centre: the PIN is tried once, and goes no further."""
        at_desk = desk(caller)
        subject = INTAKES.subject(intake)
        declared = Statement.decode(body.statement)
        for field, due in (("type", decide.INSTRUCT), ("subject", subject), ("person", caller.actor.id)):
            if getattr(declared, field) != due:  # nothing else is signed in her name
                raise StaleStatement(subject=subject, field=field)
        identity = at_desk.core.as_holder(body.pin.get_secret_value()).stating(decide.INSTRUCT, subject)
        signature = cms.sign_detached(identity, body.statement, signed_at=at_desk.store.clock.now())
        decide.instruct(at_desk, intake, body.reason, signed=body.statement, signature=signature)
        return redirect(url_for("document.intake", intake=intake), 303)
