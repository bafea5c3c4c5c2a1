"""Giving numbers: the issuing organ's own copy is the first, its recipients' follow, and prints as they are made.

The numbers of a document are the issuing organ's to give, and its site cannot be asked for one each time that another prints. What is
made there is a copy of a copy, and says of which: 000002-3 is the third in that site's register, made of copy 000002.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.models import Document
from apps.document.numbered.models import Medium, NumberedCopy, State
from apps.document.sites.models import Arrival
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
) -> list[NumberedCopy]:
    """Give these organs a number each, within the act, which holds the document's row; nothing of what is not classified.

    The issuing organ's own, where it has none yet, is among what is given.
    """
    if row.level not in CLASSIFIED:
        return []
    mine = sa.select(sa.func.max(NumberedCopy.number)).where(NumberedCopy.document == row.id)
    of_copy = _made_of(act.session, row.id, act.actor.organ)
    last = act.session.scalar(mine) or (0 if of_copy is None else 1)
    # of what was sent before there was a register, the recipients' copies have no number; the first is the issuing organ's all the same
    named = [*([row.organ] if last == 0 else []), *organs]
    given = []
    for number, organ in enumerate(named, last + 1):
        own = last == 0 and number == 1
        given.append(
            NumberedCopy(
                document=row.id,
                number=number,
                mark=None if of_copy is None else f"{of_copy}-{number}",
                organ=organ,
                medium=Medium.FILE if own else medium,
                state=State.HELD,
                reader=None if own else reader,
                person=act.actor.id,
                at=store.clock.now(),
                entry=act.id,
            )
        )
    act.session.add_all(given)
    act.session.flush()
    act.facts["copy_numbers"] = {each.mark or str(each.number): each.organ for each in given}
    return given


def _made_of(session: Session, document: str, organ: str | None) -> str | None:
    """What stands on the copy from another site that this organ's are made of; None of a document that was issued here."""
    came = sa.select(Arrival).where(Arrival.document == document, Arrival.refused.is_(None))
    arrivals = session.scalars(came.order_by(Arrival.at, Arrival.organ)).all()
    if not arrivals:
        return None
    found = next((each for each in arrivals if each.organ == organ), arrivals[0])
    # a site of an earlier version tells none: then the organ that it sent it to says whose register this is
    return found.mark or found.organ


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
