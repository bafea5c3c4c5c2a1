"""The organs that countersign a document, as rows: named by the drafter, asked after the review, held against the text."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.desk import content
from apps.document.joint.models import Countersigner, Part
from apps.document.models import Document


def of(session: Session, document: str) -> list[Countersigner]:
    """Joint organs in their order, then those that are consulted."""
    query = sa.select(Countersigner).where(Countersigner.document == document)
    # the two parts stand in the order of their names
    return list(session.scalars(query.order_by(Countersigner.part, Countersigner.position)))


def joint(session: Session, document: str) -> list[Countersigner]:
    """The organs that issue it beside its own, in their order."""
    return [each for each in of(session, document) if each.part == Part.JOINT]


def name(session: Session, row: Document, joint_: Sequence[str], consulted: Sequence[str]) -> None:
    """Write down whom the drafter names. Who stays keeps what was signed; a new organ sees nothing before it is asked."""
    before = {each.organ: each for each in of(session, row.id)}
    wanted = {
        organ: (part, position)
        for part, organs in ((Part.JOINT, joint_), (Part.CONSULTED, consulted))
        for position, organ in enumerate(organs, 1)
    }
    for organ, gone in before.items():
        if organ not in wanted:
            session.delete(gone)
    for organ, (part, position) in wanted.items():
        there = before.get(organ)
        if there is None:
            there = Countersigner(document=row.id, organ=organ, urged=0)
            session.add(there)
        elif there.part != part:  # consent is no approval of a seal, nor the other way about
            _forget(there)
        there.part, there.position = part, position
    row.joint, row.consulted = list(joint_), list(consulted)
    row.asked = row.asked and set(wanted) <= set(before)
    session.flush()


def missing(session: Session, row: Document) -> list[Countersigner]:
    """Those who have not countersigned the text as it stands."""
    digest = content(session, row.id).sha256
    return [each for each in of(session, row.id) if not each.holds(digest)]


def ask(session: Session, row: Document, now: datetime) -> list[str]:
    """Ask those who have not countersigned this text; who they are. What was signed of another text holds no more."""
    found = missing(session, row)
    for each in found:
        _forget(each)
        each.asked_at = now
    row.asked = True
    session.flush()
    return [each.organ for each in found]


def _forget(row: Countersigner) -> None:
    row.content_sha256 = row.signer = row.signer_name = row.signer_title = row.entry = None
    row.seal_width = row.signed_at = row.urged_at = None
    row.urged = 0
