"""Receiving: the recipient's registrar signs for the copy, or returns it with a reason; neither can be denied later.

Both are statements signed with her own certificate over the digests of the sealed file as it arrived.
"""

from typing import Any, Literal

from sqlalchemy.orm import Session

from apps.document.desk import Desk, file
from apps.document.errors import AlreadyAnswered, NotARecipient
from apps.document.models import Delivery, DeliveryState
from apps.document.records import DOCUMENTS
from apps.document.seal import SEALED
from apps.document.states import LIFE
from yinxin import flow
from yinxin.crypto.suite import INTL, SM

Verb = Literal["document.receive", "document.return"]

_ANSWER = {"document.receive": DeliveryState.RECEIVED, "document.return": DeliveryState.RETURNED}


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
    """Take the signed receipt or return; raises StaleStatement, WrongSigner, BadSignature, AlreadyAnswered, NotPermitted."""
    LIFE.transition(verb).demand_reason(reason)
    DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        body = _due(session, document, reason)
    proof = flow.accept(desk, verb, DOCUMENTS.subject(document), body, signed=signed, signature=signature)
    organ = desk.caller.actor.organ or ""
    digest = body["sealed"]["sha256"]
    with DOCUMENTS.move(desk, document, verb, comment=reason, signed=proof, sealed_sha256=digest) as (act, _):
        copy = act.session.get(Delivery, (document, organ), with_for_update=True)
        if copy is None:
            raise NotARecipient(organ=organ, document=document)
        if copy.state != DeliveryState.SENT:
            raise AlreadyAnswered(document=document, state=copy.state)
        copy.state, copy.reason, copy.answered_at = _ANSWER[verb], reason, desk.store.clock.now()


def _due(session: Session, document: str, reason: str | None) -> dict[str, Any]:
    sealed = file(session, document, SEALED).data
    body = {"sealed": {"sha256": INTL.hash.digest(sealed).hex(), "sm3": SM.hash.digest(sealed).hex()}}
    return body if reason is None else body | {"reason": {"text": reason}}
