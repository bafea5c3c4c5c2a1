"""Signing in the browser: the statement is shown, signed on the reader's own side, and brought back.

The key never comes here. The page shows what will be signed, gives the statement as a file, names the one command
that signs it, and takes the signature pasted or uploaded. Whoever keeps her key in the key centre, and signed in as its
certificate's holder, signs the statement that is shown with her PIN instead.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, cast, get_args

from flask import redirect, request, url_for
from pydantic import Base64Bytes, Field, SecretStr
from werkzeug.wrappers import Response

from apps.document import receive, sign_off
from apps.document.desk import Desk
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS, resource
from yinxin.crypto import cms
from yinxin.documents import Answer, Signable
from yinxin.errors import YinxinError
from yinxin.flow import StaleStatement
from yinxin.statement import Statement
from yinxin.web import Caller, Pages, Upload, current_caller, signature_of
from yinxin.wire import Model

_VERBS = ", ".join(f"'{verb}'" for verb in get_args(Signable))


class Signed(Model):
    """The statement that was shown, and the signature over it, unless that comes as a file."""

    statement: Base64Bytes = Field(max_length=100_000)
    signature: str = Field(default="", max_length=200_000)
    reason: str = Field(default="", max_length=2000)


class SignedWithPin(Model):
    """The statement that was shown, and the PIN that signs it, once."""

    statement: Base64Bytes = Field(max_length=100_000)
    pin: SecretStr = Field(min_length=1, max_length=128)
    reason: str = Field(default="", max_length=2000)


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def context(document: str, verb: str) -> Mapping[str, Any]:
        """What is to be signed, if this person may; a refusal is told before she has signed anything."""
        at_desk = desk(current_caller())
        row = DOCUMENTS.read(at_desk, document)
        at_desk.core.require(verb, resource(row))
        reason = request.values.get("reason") or None
        data = shown() or _statement(at_desk, document, verb, reason)
        return {
            "row": row,
            "verb": verb,
            "reason": reason or "",
            "declared": Statement.decode(data),
            "statement": base64.b64encode(data).decode(),
            "holder_key": at_desk.core.holder_key(),
        }

    @pages.form(f"/<document>/sign/<any({_VERBS}):verb>", "document/sign.html", context=context)
    def sign(document: str, verb: str, body: Signed, file: Upload | None, caller: Caller) -> Response:
        signature = signature_of(file.stream.read() if file else body.signature.encode())
        _take(desk(caller), document, verb, statement=body.statement, signature=signature, reason=body.reason)
        return redirect(url_for("document.show", document=document), 303)

    @pages.form(
        f"/<document>/sign/<any({_VERBS}):verb>/pin", "document/sign.html", context=context, unkept=True
    )
    def sign_with_pin(document: str, verb: str, body: SignedWithPin, caller: Caller) -> Response:
        """Sign what is shown with the key in the key centre: the PIN is tried once, and goes no further."""
        at_desk = desk(caller)
        declared = Statement.decode(body.statement)
        for field, due in (("type", verb), ("subject", f"document:{document}"), ("person", caller.actor.id)):
            if getattr(declared, field) != due:  # nothing else is signed in her name
                raise StaleStatement(subject=f"document:{document}", field=field)
        identity = at_desk.core.as_holder(body.pin.get_secret_value()).stating(verb, f"document:{document}")
        signature = cms.sign_detached(identity, body.statement, signed_at=at_desk.store.clock.now())
        _take(at_desk, document, verb, statement=body.statement, signature=signature, reason=body.reason)
        return redirect(url_for("document.show", document=document), 303)


def _take(desk: Desk, document: str, verb: str, *, statement: bytes, signature: bytes, reason: str) -> None:
    if verb == sign_off.SIGN_OFF:
        sign_off.sign_off(desk, document, statement, signature)
        return
    receive.answer(
        desk,
        document,
        cast("Answer", verb),
        signed=statement,
        signature=signature,
        reason=reason or None,
    )


def shown() -> bytes | None:
    """The statement that the reader has signed already, when only her signature was not taken."""
    try:
        data = base64.b64decode(request.form["statement"], validate=True)
        Statement.decode(data)
    except (KeyError, binascii.Error, YinxinError):
        return None
    return data


def _statement(desk: Desk, document: str, verb: str, reason: str | None) -> bytes:
    if verb == sign_off.SIGN_OFF:
        return sign_off.statement(desk, document)
    return receive.statement(desk, document, cast("Answer", verb), reason)
