"""Handling: given to a main handler and joint ones with a term, hurried, extended, finished with a result, and answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.desk import Desk
from apps.document.intake.errors import HandlerTwice, HurriedEnough, NotAnAnswer, UnknownPost
from apps.document.intake.models import Answer, Intake, Reader
from apps.document.intake.records import INTAKES
from apps.document.models import Document, State
from apps.document.sites import advice
from yinxin.clock import rfc3339
from yinxin.deadline import Term
from yinxin.distribution import Copy

#: between two times that a handler is hurried
REST = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Handlers:
    """Posts of the organ: one that answers for the whole, and those that take part."""

    main: str
    joint: tuple[str, ...] = ()


def assign(desk: Desk, intake: str, handlers: Handlers, term: Term, comment: str = "") -> None:
    """交办: the main handler has so long from now on; again, it begins anew. Raises UnknownPost, HandlerTwice."""
    named = (handlers.main, *handlers.joint)
    if twice := next((post for at, post in enumerate(named) if post in named[:at]), None):
        raise HandlerTwice(post=twice)
    demand_posts(desk, named)
    facts = {"main": handlers.main, "joint": list(handlers.joint)}
    with INTAKES.move(desk, intake, "document.assign", comment=comment or None) as (act, row):
        act.facts |= facts
        row.main, row.joint = handlers.main, list(handlers.joint)
        row.amount, row.unit, row.hurried, row.hurried_at = term.amount, term.unit.value, 0, None
        for post in handlers.joint:  # it waits for them until they have said something
            reader = act.session.get(Reader, (intake, post))
            if reader is None:
                now = desk.store.clock.now()
                act.session.add(Reader(intake=intake, post=post, asked_at=now))
            else:
                reader.read_at = reader.person = None


def demand_posts(desk: Desk, named: Sequence[str]) -> None:
    """Raise UnknownPost unless every post is one of the person's organ."""
    posts = {each.id for each in desk.core.posts(desk.caller.actor.organ or "")}
    for post in named:
        if post not in posts:
            raise UnknownPost(post=post)


def contribute(desk: Desk, intake: str, text: str) -> None:
    """会办意见 of a joint handler; raises ReasonMissing."""
    with INTAKES.move(desk, intake, "document.contribute", comment=text) as (act, _):
        reader = act.session.get(Reader, (intake, desk.caller.actor.post or ""))
        if reader is not None:
            reader.read_at, reader.person = desk.store.clock.now(), desk.caller.actor.id


def hurry(desk: Desk, intake: str, comment: str = "") -> None:
    """催办: noted, and shown to the handler; raises HurriedEnough."""
    with INTAKES.move(desk, intake, "document.hurry", comment=comment or None) as (_, row):
        now = desk.store.clock.now()
        if row.hurried_at is not None and row.hurried_at + REST > now:
            raise HurriedEnough(at=rfc3339(row.hurried_at), hours=int(REST / timedelta(hours=1)))
        row.hurried, row.hurried_at = row.hurried + 1, now


def extend(desk: Desk, intake: str, more: int, reason: str) -> None:
    """延期: so many more of the term's unit, before it is over; raises ReasonMissing, DeadlinePassed."""
    with INTAKES.move(desk, intake, "document.extend-handling", comment=reason, more=more):
        pass


def finish(desk: Desk, intake: str, result: str) -> None:
    """办结: what came of it; the clock ends. Raises ReasonMissing."""
    with INTAKES.move(desk, intake, "document.finish", comment=result):
        pass


def answer(desk: Desk, intake: str, document: str) -> None:
    """答复: the organ's own document, dispatched to the issuing organ, answers it; that organ's site is told. Raises NotAnAnswer."""
    with INTAKES.move(desk, intake, "document.answer", document=document) as (act, row):
        reply = act.session.get(Document, document)
        sent = (Copy.flow == "document", Copy.item == document, Copy.organ == _asker(act.session, row))
        found = act.session.scalars(sa.select(Copy).where(*sent)).first()
        if reply is None or reply.organ != row.organ or reply.state != State.DISPATCHED or found is None:
            raise NotAnAnswer(document=document, sender=_asker(act.session, row))
        row.answer = document
        now = desk.store.clock.now()
        act.session.add(Answer(document=row.document, organ=row.organ, answer=document, at=now))
        if found.away:
            advice.of_answer(act, row.document, organ=found.organ, sender=row.organ, now=now)


def _asker(session: Session, row: Intake) -> str:
    """Whom to answer: the organ that issued what was received."""
    return session.get_one(Document, row.document).organ
