"""Advices go to other sites: each once, when the copy that it is about has gone before it.

An advice is due until it is in the outbox; a process that dies in between sends the same one again, and its reference sends it once.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.intake.models import Answer
from apps.document.records import DOCUMENTS
from apps.document.sites import secrecy
from apps.document.sites.models import Advice, What
from apps.document.sites.report import signed
from apps.document.sites.wire import ANSWER, KIND, PARCEL, SECRECY, body, reference
from yinxin.act import SYSTEM
from yinxin.distribution import Copy, State, Turns, rested
from yinxin.errors import YinxinError
from yinxin.exchange import Exchanging, Outgoing
from yinxin.steps import step
from yinxin.store import Store

VERB = "document.advise"
#: advices that are looked for at once
_AT_ONCE = 500
#: document, organ, sender, what, number
Place = tuple[str, str, str, str, int]


def advise(store: Store, exchange: Exchanging) -> tuple[int, list[YinxinError]]:
    """Send the advices that are due; how many, and what kept others, for which nobody else waits."""
    count, turns, last = 0, Turns(store, VERB), ("", "", "", "", 0)
    while due := _due(store, last):
        for each in due:
            with turns.turn(each[0], each[1]):
                count += _one(store, exchange, each)
        last = due[-1]
    return count, turns.failed


def _one(store: Store, exchange: Exchanging, place: Place) -> int:
    """1. It is in the outbox. 2. That it was told is recorded. What its copy never left for is told to nobody."""
    document, organ, _, what, number = place
    with store.read() as session:
        advice = session.get_one(Advice, place)
        copy = _copy(session, advice)
        if copy is None or copy.state == State.WAITING:
            return 0  # it goes when its copy has
        sent = exchange.sent(copy.sender, reference(PARCEL, copy.item, copy.organ))
        message = _message(session, advice) if sent else None
    if message is not None:
        exchange.send(message)
    step("document.advise.1-sent")
    facts: dict[str, Any] = {"organ": organ, "what": what, "number": number, "sent": sent}
    with store.act(SYSTEM, VERB, DOCUMENTS.subject(document), **facts) as act:
        act.session.get_one(Advice, place, with_for_update=True).told_at = store.clock.now()
    return int(sent)


def _due(store: Store, last: Place) -> Sequence[Place]:
    """The next ones behind that one, the oldest documents first."""
    at = Advice.__table__.c
    key = (Advice.document, Advice.organ, Advice.sender, Advice.what, Advice.number)
    query = sa.select(*key).where(
        Advice.told_at.is_(None), rested(VERB, at.document, at.organ, store.clock.now())
    )
    query = query.where(sa.tuple_(*key) > sa.tuple_(*map(sa.literal, last)))
    with store.read() as session:
        rows = session.execute(query.order_by(*key).limit(_AT_ONCE))
        return [(document, organ, sender, what, number) for document, organ, sender, what, number in rows]


def _copy(session: Session, advice: Advice) -> Copy | None:
    """The copy that goes before the advice: of the document itself, or of the one that answers it."""
    if advice.what == What.SECRECY:
        return session.get(Copy, (KIND, advice.document, advice.organ))
    answer = session.get_one(Answer, (advice.document, advice.sender)).answer
    return session.get(Copy, (KIND, answer, advice.organ))


def _message(session: Session, advice: Advice) -> Outgoing:
    row = DOCUMENTS.load(session, advice.document)
    said: dict[str, Any]
    if advice.what == What.SECRECY:
        what, name = SECRECY, f"{SECRECY}-{advice.number}"
        said = {"decisions": secrecy.told(session, row)}
    else:
        what = name = ANSWER
        answer = session.get_one(Answer, (advice.document, advice.sender)).answer
        said = {"answer": answer, **signed(session, row.id, advice.sender, State.RECEIVED)}
    return Outgoing(
        reference(name, row.id, advice.organ),
        advice.sender,
        advice.organ,
        KIND,
        DOCUMENTS.subject(row.id),
        secrecy.lowest(session, row),
        body(what, row.id, said),
    )
