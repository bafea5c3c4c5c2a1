"""What other sites are to be told of a document is queued within the act that it is of: it is told once that act is on record, and not otherwise."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.models import Document
from apps.document.sites.models import Advice, Arrival, What
from apps.document.states import COPIES
from yinxin.distribution import State
from yinxin.store import Act


def came(session: Session, document: str) -> bool:
    """Whether another site sent the document: then its issuing organ is there."""
    query = sa.select(Arrival.organ).where(Arrival.document == document, Arrival.refused.is_(None))
    return session.scalars(query.limit(1)).first() is not None


def of_secrecy(act: Act, row: Document, number: int, now: datetime) -> None:
    """Every site that was sent a copy from here is to be told of the decision of this number; those that have given theirs back too, whose file is there yet."""
    away = [each for each in COPIES.copies(act.session, row.id) if each.away and each.state != State.REFUSED]
    for each in away:
        act.session.add(
            Advice(
                document=row.id,
                organ=each.organ,
                what=What.SECRECY,
                number=number,
                sender=each.sender,
                at=now,
                told_at=None,
            )
        )
    act.facts["to_be_told"] = [each.organ for each in away]


def of_answer(act: Act, document: str, *, organ: str, sender: str, now: datetime) -> None:
    """The organ at another site is to be told which document of the sender's answers its own."""
    act.session.add(
        Advice(
            document=document, organ=organ, what=What.ANSWER, number=0, sender=sender, at=now, told_at=None
        )
    )
    act.facts["to_be_told"] = [organ]
