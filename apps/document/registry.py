"""The registry's book of what was sent: of every copy that an organ sent, alone or jointly, who has signed for it and who has not."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from apps.document.desk import Desk
from apps.document.joint.models import Part
from apps.document.models import Document
from apps.document.records import DOCUMENTS, countersigns
from yinxin.distribution import OPEN, Copy, State

PAGE = 50
#: what the book is narrowed to, by name
_STATES: dict[str, tuple[State, ...]] = {
    "open": OPEN,
    "overdue": OPEN,
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
    """A page of the copies that the organ sent, and of those of what it issued jointly, the newest document first, and where the next page begins.

    Only of documents that this person may read: a title may be above her clearance.
    """
    permitted = desk.core.visible(DOCUMENTS.life.read)
    flow = DOCUMENTS.life.name
    organ = desk.caller.actor.organ or ""
    copies = sa.select(Copy.item, Copy.organ).join(Document, Copy.item == Document.id)
    joint = countersigns(organ, Part.JOINT)
    sent = [
        copies.where(Copy.flow == flow, Copy.sender == organ),
        # what it issued jointly: its issuing organ sent it
        copies.join(joint.table, joint.on).where(Copy.flow == flow, Copy.sender == Document.organ),
    ]
    narrowed = [DOCUMENTS.columns.where(permitted)]
    if wanted.show == "overdue":
        narrowed.append(Copy.due <= desk.store.clock.now())
    if wanted.text:
        title = Document.title.contains(wanted.text, autoescape=True)
        narrowed.append(sa.or_(title, Document.number.contains(wanted.text, autoescape=True)))
    if wanted.after is not None:
        item, after = wanted.after
        narrowed.append(sa.or_(Copy.item < item, sa.and_(Copy.item == item, Copy.organ > after)))
    order = (Copy.item.desc(), Copy.organ)
    # state by state: of each no more is looked at than the page needs, by the index
    states = _STATES.get(wanted.show)
    every = [query.where(*narrowed) for query in sent]
    ways = [query.where(Copy.state == each) for query in every for each in states] if states else every
    found = [sa.select(each.order_by(*order).limit(limit + 1).subquery()) for each in ways]
    keys = sa.union_all(*found).subquery()
    of_keys = sa.and_(Copy.flow == flow, Copy.item == keys.c.item, Copy.organ == keys.c.organ)
    page = (
        sa.select(Document, Copy)
        .select_from(keys)
        .join(Copy, of_keys)
        .join(Document, Copy.item == Document.id)
    )
    with desk.store.read() as session:
        rows = session.execute(page.order_by(*order).limit(limit + 1)).all()
        session.expunge_all()
    entries = [Entry(document, copy) for document, copy in rows[:limit]]
    more = len(rows) > limit
    return entries, (entries[-1].copy.item, entries[-1].copy.organ) if more else None
