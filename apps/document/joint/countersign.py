"""Countersigning 会签: the leader of a joint organ, or of one that is consulted, signs the very text that was reviewed.

`statement` gives the bytes; her side signs them; `countersign` takes them back if they are still what is due. When the last one has
signed, the document goes on to the issuing organ's leader.
"""

from typing import Final, Literal, cast

from sqlalchemy.orm import Session

from apps.document.desk import Desk
from apps.document.joint import parts
from apps.document.joint.errors import NotAsked
from apps.document.joint.models import Countersigner, Part
from apps.document.models import Document, State
from apps.document.records import DOCUMENTS
from apps.document.sign_off import due
from yinxin import flow

#: of an organ that issues it jointly: its seal is used on that; and of one that is consulted
COUNTERSIGN: Final = "document.countersign"
CONCUR: Final = "document.concur"
Verb = Literal["document.countersign", "document.concur"]


def statement(desk: Desk, document: str, verb: Verb) -> bytes:
    """What she is to sign: revision, title, and the digests of the content in both worlds, as the leader signs them."""
    row = DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        body = due(session, row)
    return flow.statement(desk, verb, DOCUMENTS.subject(document), body)


def countersign(desk: Desk, document: str, verb: Verb, signed: bytes, signature: bytes) -> None:
    """Take the signed statement; raises NotAsked, and what signing off raises."""
    seen = DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        body = due(session, seen)
    proof = flow.accept(desk, verb, DOCUMENTS.subject(document), body, signed=signed, signature=signature)
    digest = body["content"]["sha256"]
    # the register of an organ's seals is not every other organ's to read
    width = desk.core.seal_size(desk.caller.actor.organ or "") if verb == COUNTERSIGN else None
    with DOCUMENTS.move(desk, document, verb, seen=seen, signed=proof, content_sha256=digest) as (act, row):
        mine = _asked(act.session, row, desk, verb)
        mine.content_sha256, mine.entry, mine.signed_at = digest, act.id, desk.store.clock.now()
        mine.seal_width = width
        mine.signer, mine.signer_name = desk.caller.actor.id, desk.caller.name
        mine.signer_title = desk.caller.post_name.zh
        act.session.flush()
        waiting = parts.missing(act.session, row)
        act.facts["waiting"] = [each.organ for each in waiting]
        if not waiting:
            row.state = State.REVIEWED


def refuse(desk: Desk, document: str, reason: str) -> None:
    """不同意: back to the drafter, with the reason; raises ReasonMissing, NotAsked.

    Whoever has countersigned already has done so for that text alone: it holds again if the same text comes back.
    """
    with DOCUMENTS.move(desk, document, "document.refuse-countersign", comment=reason) as (act, row):
        _asked(act.session, row, desk)
        row.reviewer = None


def _asked(session: Session, row: Document, desk: Desk, verb: str = "") -> Countersigner:
    """The row of the person's organ, which is yet to sign; raises NotAsked."""
    organ = desk.caller.actor.organ or ""
    part = {COUNTERSIGN: Part.JOINT, CONCUR: Part.CONSULTED}.get(cast("Verb", verb))
    for each in parts.missing(session, row):
        if each.organ == organ and part in (None, each.part):
            return each
    raise NotAsked(document=row.id, organ=organ)
