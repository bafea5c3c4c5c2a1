"""Receiving: the recipient's registrar signs for the copy, returns it with a reason, or gives it back; none can be denied later.

All are statements signed with her own certificate over the digests of the sealed file as it arrived.
"""

from typing import Any, Literal

from sqlalchemy.orm import Session

from apps.document.desk import Desk, file
from apps.document.numbered.allot import gone as no_longer_held
from apps.document.records import DOCUMENTS
from apps.document.seal import SEALED
from apps.document.states import COPIES, LIFE
from yinxin import flow
from yinxin.crypto.suite import INTL, SM

Verb = Literal["document.receive", "document.return", "document.give-back"]


def statement(desk: Desk, document: str, verb: Verb, reason: str | None = None) -> bytes:
    """What the receiving registrar is to sign; raises ReasonMissing."""
    LIFE.transition(verb).demand_reason(reason)
    DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        body = _due(session, document, reason)
    return flow.statement(desk, verb, DOCUMENTS.subject(document), body)


def answer(
    desk: Desk, document: str, verb: Verb, *, signed: bytes, signature: bytes, reason: str | None = None
) -> None:
    """Take the signed receipt, return or handing back.

    Raises StaleStatement, WrongSigner, BadSignature, NotARecipient, AlreadyAnswered, NotPermitted.
    """
    LIFE.transition(verb).demand_reason(reason)
    DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        body = _due(session, document, reason)
    proof = flow.accept(desk, verb, DOCUMENTS.subject(document), body, signed=signed, signature=signature)
    digest = body["sealed"]["sha256"]
    with DOCUMENTS.move(desk, document, verb, comment=reason, signed=proof, sealed_sha256=digest) as (
        act,
        row,
    ):
        if verb == "document.receive":
            COPIES.receive(desk, act, document)
        elif verb == "document.return":
            COPIES.return_(desk, act, document, reason or "")
        else:
            given = COPIES.give_back(desk, act, document)
            row.holders = [organ for organ in row.holders if organ != given.organ]
            no_longer_held(desk.store, act, document, [given.organ], given.reason or "")


def _due(session: Session, document: str, reason: str | None) -> dict[str, Any]:
    sealed = file(session, document, SEALED).data
    body = {"sealed": {"sha256": INTL.hash.digest(sealed).hex(), "sm3": SM.hash.digest(sealed).hex()}}
    return body if reason is None else body | {"reason": {"text": reason}}
