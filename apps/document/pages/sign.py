"""Signing in the browser: the statement is shown, signed on the reader's own side, and brought back.

The key never comes here. The page shows what will be signed, gives the statement as a file, names the one command
that signs it, and takes the signature pasted or uploaded.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, cast, get_args

from flask import redirect, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.wrappers import Response

from apps.document import receive, sign_off
from apps.document.desk import Desk
from apps.document.errors import UnknownStatement
from apps.document.pages.desks import Desks
from yinxin.crypto.errors import MalformedSignature
from yinxin.documents import Answer, Signable
from yinxin.statement import Statement
from yinxin.web import Caller, Pages, current_caller


class Signed(BaseModel):
    """The statement that was shown, and the signature over it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    statement: str = Field(max_length=100_000)
    signature: str = Field(min_length=1, max_length=200_000)
    reason: str = Field(default="", max_length=2000)


def add(pages: Pages, desk: Desks) -> None:
    """Declare the page."""

    def context(document: str, verb: str) -> Mapping[str, Any]:
        """The statement: the one that was shown, when its signature did not hold; else a fresh one."""
        reason = request.values.get("reason") or None
        data = _statement(desk(current_caller()), document, verb, reason)
        return {
            "document": document,
            "verb": verb,
            "reason": reason or "",
            "declared": Statement.decode(data),
            "statement": base64.b64encode(data).decode(),
        }

    @pages.form("/<document>/sign/<verb>", "document/sign.html", context=context)
    def sign(document: str, verb: str, body: Signed, caller: Caller) -> Response:
        statement, signature = _octets(body.statement), _octets(body.signature)
        at_desk = desk(caller)
        if verb == sign_off.SIGN_OFF:
            sign_off.sign_off(at_desk, document, statement, signature)
        else:
            answer = cast("Answer", _known(verb))
            receive.answer(
                at_desk, document, answer, signed=statement, signature=signature, reason=body.reason or None
            )
        return redirect(url_for("document.show", document=document), 303)


def _statement(desk: Desk, document: str, verb: str, reason: str | None) -> bytes:
    if _known(verb) == sign_off.SIGN_OFF:
        return sign_off.statement(desk, document)
    return receive.statement(desk, document, cast("Answer", verb), reason)


def _known(verb: str) -> str:
    if verb not in get_args(Signable):
        raise UnknownStatement(verb=verb, known=", ".join(get_args(Signable)))
    return verb


def _octets(text: str) -> bytes:
    """Bare base64 or PEM; raises MalformedSignature."""
    bare = re.sub(r"-----[A-Z0-9 ]+-----|\s+", "", text)
    try:
        return base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedSignature(kind="CMS", reason="base64") from error
