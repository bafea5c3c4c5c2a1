"""Registering: what the organ has signed for gets a number of its own (收文号) and begins its way through the organ."""

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from apps.document.desk import Desk
from apps.document.intake.errors import RegisteredAlready
from apps.document.intake.models import Intake, IntakeNumbering
from apps.document.intake.records import INTAKES
from apps.document.records import DOCUMENTS
from apps.document.states import COPIES
from yinxin.calendar import local_date


def register(desk: Desk, document: str) -> str:
    """Register the copy that the organ has signed for; the identifier of what it is now here.

    Raises NoSuchRecord, NotReceived, RegisteredAlready, NotPermitted.
    """
    row = DOCUMENTS.read(desk, document)
    organ = desk.caller.actor.organ or ""
    intake = Intake(id=desk.store.identifier(), organ=organ, level=row.level, document=document)
    intake.title, intake.urgency, intake.joint, intake.hurried = row.title, row.urgency, [], 0
    try:
        with INTAKES.begin(desk, intake, "document.register", document=document) as act:
            copy = COPIES.held(desk, act.session, document)
            if (there := of(act.session, document, organ)) is not None:
                raise RegisteredAlready(document=document, number=there.number)
            intake.sender, copy.registered_at = copy.sender, desk.store.clock.now()
            intake.number = act.facts["number"] = _number(act.session, organ, desk)
    except IntegrityError:
        with desk.store.read() as session:  # somebody was quicker
            if (there := of(session, document, organ)) is not None:
                raise RegisteredAlready(document=document, number=there.number) from None
        raise
    return intake.id


def of(session: Session, document: str, organ: str) -> Intake | None:
    """What a document is to an organ that has registered it."""
    query = sa.select(Intake).where(Intake.document == document, Intake.organ == organ)
    return session.scalars(query).one_or_none()


def _number(session: Session, organ: str, desk: Desk) -> str:
    """The next number of the organ's year, without a gap: 收〔2026〕12号."""
    year = local_date(desk.store.clock.now()).year
    counter = session.get(IntakeNumbering, (organ, year), with_for_update=True)
    if counter is None:
        counter = IntakeNumbering(organ=organ, year=year, last=0)
        session.add(counter)
    counter.last += 1
    return f"收〔{year}〕{counter.last}号"
