"""What became of a copy goes back to the site that sent it: each state once, with what a person signed.

The report of a state is due until it is in the outbox; a process that dies in between sends the same one again.
"""

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.records import DOCUMENTS
from apps.document.sites.models import Arrival
from apps.document.sites.wire import KIND, REPORT, body, reference
from yinxin.act import SYSTEM
from yinxin.authz import Level
from yinxin.clock import rfc3339
from yinxin.distribution import Copy, State, Turns, rested
from yinxin.errors import YinxinError
from yinxin.exchange import Exchanging, Outgoing
from yinxin.flow import Signature
from yinxin.steps import step
from yinxin.store import Store

VERB = "document.report"
#: what is told of a copy, and the verb that a person signed
SIGNED = {
    State.RECEIVED: "document.receive",
    State.RETURNED: "document.return",
    State.GIVEN_BACK: "document.give-back",
}
#: reports that are looked for at once
_AT_ONCE = 500


def tell(store: Store, exchange: Exchanging) -> tuple[int, list[YinxinError]]:
    """Send the reports that are due; how many, and what kept it from others, for which nobody else waits.

    What could not go, to a site with which exchange has stopped, say, is not tried again before it has rested.
    """
    count, turns, last = 0, Turns(store, VERB), ("", "")
    while due := _due(store, last):
        for each in due:
            with turns.turn(*each):
                _one(store, exchange, *each)
                count += 1
        last = due[-1]
    return count, turns.failed


def _one(store: Store, exchange: Exchanging, document: str, organ: str) -> None:
    """1. It is in the outbox. 2. That it was told is recorded."""
    with store.read() as session:
        arrival = session.get_one(Arrival, (document, organ))
        state, message = _message(session, arrival)
    exchange.send(message)
    step("document.report.1-sent")
    with store.act(SYSTEM, VERB, DOCUMENTS.subject(document), organ=organ, state=state.value) as act:
        act.session.get_one(Arrival, (document, organ), with_for_update=True).told = state.value


def _due(store: Store, last: tuple[str, str]) -> Sequence[tuple[str, str]]:
    """The next ones behind that one; as identifiers rise, the oldest documents of a site first."""
    answered = (*SIGNED, State.WITHDRAWN)
    moved = sa.and_(Copy.state.in_(answered), sa.or_(Arrival.told.is_(None), Arrival.told != Copy.state))
    refused = sa.and_(Arrival.refused.is_not(None), Arrival.told.is_(None))
    mine = sa.and_(Copy.flow == KIND, Copy.item == Arrival.document, Copy.organ == Arrival.organ)
    query = sa.select(Arrival.document, Arrival.organ).join(Copy, mine, isouter=True)
    arrival = Arrival.__table__.c
    query = query.where(rested(VERB, arrival.document, arrival.organ, store.clock.now()))
    with store.read() as session:
        place = sa.tuple_(Arrival.document, Arrival.organ)
        query = query.where(sa.or_(moved, refused), place > sa.tuple_(*map(sa.literal, last)))
        rows = session.execute(query.order_by(Arrival.document, Arrival.organ).limit(_AT_ONCE))
        return [(document, organ) for document, organ in rows]


def _message(session: Session, arrival: Arrival) -> tuple[State, Outgoing]:
    said: dict[str, Any]
    if arrival.refused is not None:
        state = State.REFUSED
        said = {"at": rfc3339(arrival.at), "reason": arrival.refused}
    else:
        copy = session.get_one(Copy, (KIND, arrival.document, arrival.organ))
        state = State(copy.state)
        at = copy.answered_at or copy.made_at
        said = {
            "at": rfc3339(at),
            "reason": copy.reason,
            **signed(session, arrival.document, arrival.organ, state),
        }
    name = reference(f"{REPORT}-{state.value}", arrival.document, arrival.organ)
    return state, Outgoing(
        name,
        arrival.organ,
        arrival.sender,
        KIND,
        DOCUMENTS.subject(arrival.document),
        cast("Level", arrival.level),
        body(REPORT, arrival.document, {"state": state.value, **said}),
    )


def signed(session: Session, document: str, organ: str, state: State) -> dict[str, str]:
    """The statement that a person of the organ signed of its copy, with its proofs; none of what the platform did."""
    if state not in SIGNED:
        return {}
    query = (
        sa.select(Signature)
        .where(
            Signature.flow == KIND,
            Signature.item == document,
            Signature.organ == organ,
            Signature.type == SIGNED[state],
        )
        .order_by(Signature.position.desc())
        .limit(1)
    )
    found = session.scalars(query).one()
    return {"statement": found.statement.hex(), "cms": found.cms.hex(), "ocsp": found.ocsp.hex()}
