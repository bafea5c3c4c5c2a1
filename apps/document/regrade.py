"""Deciding on the secrecy of a sealed document: another grade, a longer period, or none; a leader of the issuing organ signs it.

`statement` gives the bytes; her side signs them; `decide` takes them back if they are still what is due. Sites that have the document are told,
with what she signed.
"""

from base64 import b64decode
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy.orm import Session

from apps.document import decisions, grading
from apps.document.decisions import EXTEND, REGRADE
from apps.document.desk import Desk, file
from apps.document.errors import GradedElsewhere
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from apps.document.seal import SEALED
from apps.document.sites import advice
from apps.document.states import GRADES, LIFE
from yinxin import flow
from yinxin.calendar import local_date
from yinxin.crypto.suite import INTL, SM
from yinxin.grade import Grade, NotClassified, Secret
from yinxin.statement import MalformedStatement
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of the secrecy: by which verb, with which grade (none of a declassification), and why."""

    verb: str
    grade: Grade | None
    reason: str


def statement(desk: Desk, document: str, wish: Wish) -> bytes:
    """What the leader is to sign; raises ReasonMissing, GradeTooLong, NotClassified, NotLonger, GradedElsewhere."""
    row = DOCUMENTS.read(desk, document)
    return flow.statement(desk, wish.verb, DOCUMENTS.subject(document), _due(desk, row, wish))


def wish_of(signed: bytes) -> Wish:
    """What a statement that was signed wants; whether it is due is judged by `decide`. Raises MalformedStatement."""
    try:
        found = decisions.said(signed)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedStatement(reason=Text("不是关于密级的决定", "no decision on secrecy")) from error
    return Wish(found.declared.type, found.grade[0] if found.grade else None, found.reason)


def octets(text: str) -> bytes:
    """A statement as forms carry it, base64; raises MalformedStatement."""
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise MalformedStatement(reason=Text("不是 base64", "not base64")) from error


def at_level(grade: Grade, level: str) -> Grade:
    """The period of an extension with the level that stays."""
    return replace(grade, level=cast("Secret", level))


def decide(desk: Desk, document: str, *, signed: bytes, signature: bytes) -> None:
    """Take the signed decision; raises as `statement`, and StaleStatement, WrongSigner, BadSignature, NotPermitted, WrongState.

    Copies, what other organs have registered, and the sites that have it follow.
    """
    wish = wish_of(signed)
    seen = DOCUMENTS.read(desk, document)
    due = _due(desk, seen, wish)
    proof = flow.accept(desk, wish.verb, DOCUMENTS.subject(document), due, signed=signed, signature=signature)
    with DOCUMENTS.move(desk, document, wish.verb, seen=seen, comment=wish.reason, signed=proof) as (
        act,
        row,
    ):
        decided = decisions.said(signed)
        now, by = desk.store.clock.now(), desk.caller.actor.id
        basis = wish.grade.basis if wish.grade else wish.reason
        GRADES.adopt(act, document, decided.grade, basis, (by, now))
        grading.stands(act, row, decided.level)
        number = len(decisions.of(act.session, row)) + 1
        advice.of_secrecy(act, row, number, now)


def _due(desk: Desk, row: Document, wish: Wish) -> dict[str, Any]:
    LIFE.transition(wish.verb).demand_reason(wish.reason)
    today = local_date(desk.store.clock.now())
    with (
        desk.store.read() as session,
        desk.store.refusing(desk.caller.actor, wish.verb, DOCUMENTS.subject(row.id)),
    ):
        if advice.came(session, row.id):
            raise GradedElsewhere(document=row.id, organ=row.organ)
        decided = None
        if wish.verb == REGRADE and wish.grade is not None:
            decided = (wish.grade, today)
        elif wish.verb == EXTEND and wish.grade is not None:
            decided = GRADES.extended(session, row.id, wish.grade)
        elif GRADES.current(session, row.id) is None:
            raise NotClassified(subject=DOCUMENTS.subject(row.id))
        if decided is not None:
            GRADES.demand(session, *decided, today)
        return decisions.content_of(
            _sealed(session, row.id), decided, decisions.head(decisions.of(session, row)), wish.reason.strip()
        )


def _sealed(session: Session, document: str) -> dict[str, str]:
    data = file(session, document, SEALED).data
    return {"sha256": INTL.hash.digest(data).hex(), "sm3": SM.hash.digest(data).hex()}
