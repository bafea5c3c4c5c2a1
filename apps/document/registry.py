"""The registry's book of what was sent: of every copy that an organ sent, who has signed for it and who has not."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from apps.document.desk import Desk
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from yinxin.distribution import OPEN, Copy, State

PAGE = 50
#: what the book is narrowed to, by name
_STATES: dict[str, tuple[State, ...]] = {
    "open": OPEN,
    "received": (State.RECEIVED,),
    "returned": (State.RETURNED, State.REFUSED),
    "withdrawn": (State.WITHDRAWN, State.GIVEN_BACK),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which copies: `open` nobody has answered for, `overdue`, `received`, `returned`, `withdrawn`, or all; `text` in title or number."""

    show: str = "open"
    text: str = ""
    after: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A copy with the document that it is of."""

    document: Document
    copy: Copy


def book(desk: Desk, wanted: Wanted, *, limit: int = PAGE) -> tuple[Sequence[Entry], tuple[str, str] | None]:
    """A page of the copies that the organ sent, the newest document first, and where the next page begins.

    Only of documents that this person may read: a title may be above her clearance.
    """
    permitted = desk.core.visible(DOCUMENTS.life.read)
    sent = (Copy.flow == DOCUMENTS.life.name, Copy.sender == (desk.caller.actor.organ or ""))
    query = sa.select(Document, Copy).join(Copy, Copy.item == Document.id).where(*sent)
    query = query.where(DOCUMENTS.columns.where(permitted))
    if wanted.show == "overdue":
        query = query.where(Copy.state.in_(OPEN), Copy.due <= desk.store.clock.now())
    elif wanted.show in _STATES:
        query = query.where(Copy.state.in_(_STATES[wanted.show]))
    if wanted.text:
        title = Document.title.contains(wanted.text, autoescape=True)
        query = query.where(sa.or_(title, Document.number.contains(wanted.text, autoescape=True)))
    if wanted.after is not None:
        item, organ = wanted.after
        query = query.where(sa.or_(Copy.item < item, sa.and_(Copy.item == item, Copy.organ > organ)))
    with desk.store.read() as session:
        rows = session.execute(query.order_by(Copy.item.desc(), Copy.organ).limit(limit + 1)).all()
        session.expunge_all()
    found = [Entry(document, copy) for document, copy in rows[:limit]]
    more = len(rows) > limit
    return found, (found[-1].copy.item, found[-1].copy.organ) if more else None
