"""Giving numbers: the issuing organ's own copy is the first, its recipients' follow, and prints as they are made."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.models import Document
from apps.document.numbered.models import Medium, NumberedCopy, State
from yinxin.grade import CLASSIFIED
from yinxin.store import Act, Store


def of(session: Session, document: str) -> list[NumberedCopy]:
    """The register of one document, by number."""
    mine = sa.select(NumberedCopy).where(NumberedCopy.document == document)
    return list(session.scalars(mine.order_by(NumberedCopy.number)))


def allot(
    store: Store,
    act: Act,
    row: Document,
    organs: Iterable[str],
    *,
    medium: Medium = Medium.FILE,
    reader: str | None = None,
) -> list[int]:
    """Give these organs a number each, within the act, which holds the document's row; nothing of what is not classified."""
    if row.level not in CLASSIFIED:
        return []
    mine = sa.select(sa.func.max(NumberedCopy.number)).where(NumberedCopy.document == row.id)
    last = act.session.scalar(mine) or 0
    # of what was sent before there was a register, the recipients' copies have no number; the first is the issuing organ's all the same
    named = [*([row.organ] if last == 0 else []), *organs]
    for number, organ in enumerate(named, last + 1):
        own = last == 0 and number == 1
        act.session.add(
            NumberedCopy(
                document=row.id,
                number=number,
                organ=organ,
                medium=Medium.FILE if own else medium,
                state=State.HELD,
                reader=None if own else reader,
                person=act.actor.id,
                at=store.clock.now(),
                entry=act.id,
            )
        )
    act.session.flush()
    numbers = list(range(last + 1, last + len(named) + 1))
    act.facts["copy_numbers"] = dict(zip(map(str, numbers), named, strict=True))
    return numbers


def gone(store: Store, act: Act, document: str, organs: Iterable[str], reason: str) -> None:
    """The organs have their copies in the system no longer: withdrawn, or given back."""
    mine = sa.select(NumberedCopy).where(
        NumberedCopy.document == document,
        NumberedCopy.organ.in_(list(organs)),
        NumberedCopy.medium == Medium.FILE,
        NumberedCopy.state == State.HELD,
        NumberedCopy.number > 1,
    )
    for each in act.session.scalars(mine):
        each.state, each.reason = State.RETURNED, reason
        each.ended_at, each.ended_by = store.clock.now(), act.actor.id
