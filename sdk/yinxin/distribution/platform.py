"""What the platform itself does to copies: has them carried to other sites, takes their receipts, counts deadlines again."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from yinxin.act import SYSTEM
from yinxin.calendar import Calendar
from yinxin.deadline import Period
from yinxin.distribution.carrier import Carrier, Key, Pack, Report
from yinxin.distribution.distribution import Distribution, time_for
from yinxin.distribution.models import OPEN, Copy, Receipt, State
from yinxin.distribution.rest import Turns, rested
from yinxin.errors import NotPermitted, YinxinError
from yinxin.store import Act, Store

#: copies that are carried or counted at once
_AT_ONCE = 500
#: what a report may follow on: the other site's answer to a withdrawal decides which was first
_AFTER: dict[State, tuple[State, ...]] = {
    State.DELIVERED: (State.WAITING, State.SENT),
    State.RECEIVED: OPEN,
    State.RETURNED: OPEN,
    State.WITHDRAWN: OPEN,
    State.GIVEN_BACK: (State.RECEIVED,),
    State.REFUSED: OPEN,
}


def carry(copies: Distribution, store: Store, carrier: Carrier, pack: Pack) -> tuple[int, list[YinxinError]]:
    """Hand what waits to the carrier; how many it took, and what kept it from others. Safe to repeat, and after a crash.

    1. The carrier takes the parcel and knows it by its key. 2. That it is sent is recorded. What is to be withdrawn and was never
    taken is withdrawn here; the rest is recalled where it is. So are urging and 清退 passed on.

    What could not go is not tried again before it has rested (`yinxin.distribution.rest`).
    """
    taken, turns = 0, Turns(store, copies.flow)
    for row in _away(copies, store):
        with turns.turn(row.item, row.organ):
            taken += _one(copies, store, carrier, pack, row, refused=turns.failed)
    return taken, turns.failed


def _away(copies: Distribution, store: Store) -> list[Copy]:
    urged = Copy.urged > Copy.urges_carried
    unanswered = sa.or_(Copy.state == State.WAITING, Copy.asked_back_at.is_not(None), urged)
    called_in = (Copy.state == State.RECEIVED, Copy.recalled_at.is_not(None), Copy.recall_carried.is_(False))
    ready = rested(copies.flow, Copy.__table__.c.item, Copy.__table__.c.organ, store.clock.now())
    mine = (
        sa.select(Copy)
        .where(Copy.flow == copies.flow, Copy.away, ready)
        .order_by(Copy.made_at)
        .limit(_AT_ONCE)
    )
    with store.read() as session:  # two questions, each with an index of its own
        rows = list(session.scalars(mine.where(Copy.state.in_(OPEN), unanswered)))
        rows += session.scalars(mine.where(*called_in))
        session.expunge_all()
    return rows


def _one(
    copies: Distribution,
    store: Store,
    carrier: Carrier,
    pack: Pack,
    row: Copy,
    *,
    refused: list[YinxinError],
) -> int:
    key = Key(row.flow, row.item, row.organ)
    if row.asked_back_at is not None:
        if not carrier.recall(key, row.reason or ""):
            _to(copies, store, row, State.WITHDRAWN)
        return 0
    if row.state == State.RECEIVED:
        carrier.call_in(key, row.reason or "")
        return _passed_on(copies, store, row, recall_carried=True)
    if row.state != State.WAITING:
        carrier.urge(key, row.urged)
        return _passed_on(copies, store, row, urges_carried=row.urged)
    try:
        carrier.carry(pack(row))
    except NotPermitted as error:
        refused.append(error)  # for good, and recorded so
        return _to(copies, store, row, State.REFUSED, error.text())
    return _to(copies, store, row, State.SENT)


def _passed_on(copies: Distribution, store: Store, row: Copy, **carried: Any) -> int:
    """Write down what of urging and 清退 the carrier has taken."""
    verb, subject = f"{copies.flow}.carry", f"{copies.flow}:{row.item}"
    with store.act(SYSTEM, verb, subject, organ=row.organ, **carried) as act:
        found = _locked(act.session, Key(row.flow, row.item, row.organ))
        for name, value in carried.items():
            setattr(found, name, value)
    return 0


def _to(copies: Distribution, store: Store, row: Copy, state: State, reason: str | None = None) -> int:
    """Write down what the carrier said; nothing, when somebody was quicker."""
    verb, subject = f"{copies.flow}.carry", f"{copies.flow}:{row.item}"
    with store.act(SYSTEM, verb, subject, organ=row.organ, state=state.value) as act:
        now, found = store.clock.now(), _locked(act.session, Key(row.flow, row.item, row.organ))
        act.facts["changed"] = changed = found.state == State.WAITING
        if changed and state is State.SENT:
            found.state, found.sent_at = state, now
        elif changed:
            found.state, found.answered_at = state, now
            found.reason = reason[:2000] if reason else found.reason
    return int(changed and state is State.SENT)


def learn(copies: Distribution, store: Store, calendar: Calendar, report: Report) -> bool:
    """Take what another site says of a copy, with its proof; whether it was news. Whoever hands it in has verified the proof.

    A report again, or one that comes after what followed it, changes nothing.
    """
    with store.read() as session:
        if not _news(session, report):
            return False
    key = report.key
    verb, subject = f"{copies.flow}.learn", f"{copies.flow}:{key.item}"
    with store.act(SYSTEM, verb, subject, organ=key.organ, state=report.state.value) as act:
        return hear(act, calendar, report)


def hear(act: Act, calendar: Calendar, report: Report) -> bool:
    """As `learn`, within an act under way: for a report that comes with a message."""
    key, session = report.key, act.session
    act.facts["changed"] = changed = False
    if not _news(session, report):
        return changed
    row = _locked(session, key)
    act.facts["changed"] = changed = row.state in _AFTER[report.state]
    if changed:
        _take(row, calendar, report)
    receipt = {"flow": key.flow, "item": key.item, "organ": key.organ, "state": report.state.value}
    session.add(Receipt(**receipt, at=report.at, entry=act.id, data=report.proof))
    return changed


def _news(session: Session, report: Report) -> bool:
    """Whether it is of a copy at another site, and the first that says so."""
    key = report.key
    known = session.get(Receipt, (key.flow, key.item, key.organ, report.state.value))
    row = session.get(Copy, (key.flow, key.item, key.organ))
    return known is None and row is not None and row.away


def _take(row: Copy, calendar: Calendar, report: Report) -> None:
    row.state = report.state
    row.sent_at = row.sent_at or report.at
    if report.state is State.DELIVERED:
        row.delivered_at = report.at
        if row.period is not None:  # its recipient has had it since then
            time_for(row, Period(Period.of(row.period).term, report.at), calendar)
        return
    row.answered_at, row.asked_back_at = report.at, None
    row.reason = report.reason if report.state in (State.RETURNED, State.REFUSED) else row.reason


def _locked(session: Session, key: Key) -> Copy:
    return session.get_one(Copy, (key.flow, key.item, key.organ), with_for_update=True)


def recount(copies: Distribution, store: Store, calendar: Calendar) -> int:
    """Count the time to sign again that was counted by another calendar, recorded; how many are due at another time."""
    changed = 0
    mine = (Copy.flow == copies.flow, Copy.state.in_(OPEN), Copy.calendar != calendar.digest)
    query = sa.select(Copy).where(*mine).limit(_AT_ONCE)
    while True:
        with store.read() as session:
            if session.scalars(query).first() is None:
                return changed
        with store.act(SYSTEM, f"{copies.flow}.recount-receipts", f"{copies.flow}s") as act:
            rows = act.session.scalars(query.with_for_update()).all()
            moved = [
                f"{row.item}/{row.organ}"
                for row in rows
                if time_for(row, Period.of(row.period or {}), calendar)
            ]
            act.facts |= {"calendar": calendar.digest, "moved": moved}
        changed += len(moved)
