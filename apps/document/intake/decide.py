"""Deciding what is to be done with it: the registry proposes, the leader instructs with her signature, or it is closed when read."""

from typing import Any

from apps.document.desk import Desk, file
from apps.document.intake.records import INTAKES
from apps.document.intake.states import LIFE
from apps.document.seal import SEALED
from yinxin import flow
from yinxin.crypto.suite import INTL, SM

INSTRUCT = "document.instruct"


def propose(desk: Desk, intake: str, text: str) -> None:
    """拟办: what should be done, and by whom; raises ReasonMissing."""
    with INTAKES.move(desk, intake, "document.propose", comment=text):
        pass


def statement(desk: Desk, intake: str, text: str) -> bytes:
    """What the leader is to sign: her instruction, and the digests of the very document that it is on. Raises ReasonMissing."""
    LIFE.transition(INSTRUCT).demand_reason(text)
    return flow.statement(desk, INSTRUCT, INTAKES.subject(intake), _due(desk, intake, text))


def instruct(desk: Desk, intake: str, text: str, *, signed: bytes, signature: bytes) -> None:
    """批示: take the signed instruction; raises StaleStatement, WrongSigner, BadSignature, NotPermitted."""
    LIFE.transition(INSTRUCT).demand_reason(text)
    due = _due(desk, intake, text)
    proof = flow.accept(desk, INSTRUCT, INTAKES.subject(intake), due, signed=signed, signature=signature)
    with INTAKES.move(desk, intake, INSTRUCT, comment=text, signed=proof):
        pass


def close(desk: Desk, intake: str, text: str) -> None:
    """阅结: it wants no more than to be read; raises ReasonMissing."""
    with INTAKES.move(desk, intake, "document.close", comment=text):
        pass


def _due(desk: Desk, intake: str, text: str) -> dict[str, Any]:
    row = INTAKES.read(desk, intake)
    with desk.store.read() as session:
        sealed = file(session, row.document, SEALED).data
    digests = {"sha256": INTL.hash.digest(sealed).hex(), "sm3": SM.hash.digest(sealed).hex()}
    return {"document": row.document, "number": row.number, "sealed": digests, "instruction": {"text": text}}
