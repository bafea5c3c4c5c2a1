"""Receiving: the recipient's registrar signs for the copy, or returns it with a reason; neither can be denied later.

Both are statements signed with her own certificate over the digests of the sealed file as it arrived.
"""

from typing import Any, Literal

from sqlalchemy.orm import Session

from apps.document.desk import Desk, file, read, transition
from apps.document.errors import AlreadyAnswered, NotARecipient, ReasonMissing
from apps.document.models import Delivery, DeliveryState
from apps.document.seal import SEALED
from apps.document.sign_off import expect, record, verified
from yinxin.crypto.suite import INTL, SM
from yinxin.statement import Statement

Verb = Literal["document.receive", "document.return"]

_ANSWER = {"document.receive": DeliveryState.RECEIVED, "document.return": DeliveryState.RETURNED}


def statement(desk: Desk, document: str, verb: Verb, reason: str | None = None) -> bytes:
    """What the receiving registrar is to sign."""
    _check(verb, reason)
    read(desk, document)
    with desk.store.read() as session:
        body = _due(session, document, reason)
    at = desk.store.clock.now()
    return Statement.of(desk.caller.actor, verb, f"document:{document}", at, body).encode()


def answer(
    desk: Desk, document: str, verb: Verb, *, signed: bytes, signature: bytes, reason: str | None = None
) -> None:
    """Take the signed receipt or return; raises StaleStatement, WrongSigner, BadSignature, AlreadyAnswered, NotPermitted."""
    _check(verb, reason)
    declared = Statement.decode(signed)
    read(desk, document)
    with desk.store.read() as session:
        body = _due(session, document, reason)
    expect(desk, declared, verb, document, body)
    proof = verified(desk, signed, signature)
    organ = desk.caller.actor.organ or ""
    with transition(desk, document, verb, comment=reason, sealed_sha256=body["sealed"]["sha256"]) as (act, _):
        copy = act.session.get(Delivery, (document, organ), with_for_update=True)
        if copy is None:
            raise NotARecipient(organ=organ, document=document)
        if copy.state != DeliveryState.SENT:
            raise AlreadyAnswered(document=document, state=copy.state)
        copy.state, copy.reason, copy.answered_at = _ANSWER[verb], reason, desk.store.clock.now()
        act.session.add(record(desk, document, verb, signed, proof))


def _check(verb: Verb, reason: str | None) -> None:
    if verb == "document.return" and not (reason or "").strip():
        raise ReasonMissing


def _due(session: Session, document: str, reason: str | None) -> dict[str, Any]:
    sealed = file(session, document, SEALED).data
    body = {"sealed": {"sha256": INTL.hash.digest(sealed).hex(), "sm3": SM.hash.digest(sealed).hex()}}
    return body if reason is None else body | {"reason": {"text": reason}}
