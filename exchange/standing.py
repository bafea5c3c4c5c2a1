"""How exchange with each peer stands: how far both directions have come, what waits since when, what came back, what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange.models import (
    ChainRow,
    CourierRow,
    Direction,
    MessageRow,
    PeerRow,
    ReceiptRow,
    ReconciliationRow,
    SealRow,
    State,
)
from exchange.peers import Peer
from yinxin.clock import rfc3339

if TYPE_CHECKING:
    from exchange.service import Exchange

#: what is counted: messages on their way, and those that came to no good end
_COUNTED = {
    Direction.OUT: (State.WAITING, State.REFUSED),
    Direction.IN: (State.EARLY, State.RECEIVED, State.UNDELIVERABLE, State.REFUSED),
}


@dataclass(frozen=True, slots=True)
class Count:
    """So many messages, the oldest of them made or come at that instant."""

    number: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How exchange with one peer stands.

    `sent` and `received` are the last numbers, the heads the digests of their headers. `refused` are ours that the peer refused,
    `rejected` the peer's that this site did. `called` is when calling it last went well, `heard` when something signed by it last came in.
    `claimed` are organs that its card names and that nobody decided on.
    """

    peer: Peer
    sent: int
    sent_head: str
    received: int
    received_head: str
    waiting: Count
    refused: Count
    early: Count
    undelivered: Count
    undeliverable: Count
    rejected: Count
    failures: int
    error: str | None
    called: datetime | None
    heard: datetime | None
    reconciled: datetime | None
    difference: str | None
    claimed: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """As text and numbers."""
        return {
            "site": self.peer.site,
            "relation": self.peer.relation.value,
            "carrier": self.peer.carrier.value,
            "clearance": self.peer.clearance,
            "claimed": list(self.claimed),
            "sent": self.sent,
            "sent_head": self.sent_head,
            "received": self.received,
            "received_head": self.received_head,
            "waiting": self.waiting.number,
            "oldest": _text(self.waiting.since),
            "refused": self.refused.number,
            "early": self.early.number,
            "undelivered": self.undelivered.number,
            "undeliverable": self.undeliverable.number,
            "rejected": self.rejected.number,
            "failures": self.failures,
            "error": self.error,
            "called": _text(self.called),
            "heard": _text(self.heard),
            "reconciled": _text(self.reconciled),
            "difference": self.difference,
        }


def standings(exchange: "Exchange", peers: Sequence[Peer]) -> tuple[Standing, ...]:
    """How exchange with each of these peers stands, in their order."""
    with exchange.store.read() as session:
        counts, chains, couriers = _counts(session), _chains(session), _couriers(session)
        heard, words = _heard(session), _words(session)
    none = Count()

    def one(peer: Peer) -> Standing:
        def of(direction: Direction, state: State) -> Count:
            return counts.get((peer.site, direction, state), none)

        sent, received = (chains.get((direction, peer.site), (0, "")) for direction in Direction)
        works = couriers.get(peer.site, ())
        errors = [each.error for each in works if each.error]
        done = [each.done for each in works if each.done]
        word = words.get(peer.site)
        return Standing(
            peer,
            *sent,
            *received,
            waiting=of(Direction.OUT, State.WAITING),
            refused=of(Direction.OUT, State.REFUSED),
            early=of(Direction.IN, State.EARLY),
            undelivered=of(Direction.IN, State.RECEIVED),
            undeliverable=of(Direction.IN, State.UNDELIVERABLE),
            rejected=of(Direction.IN, State.REFUSED),
            failures=max((each.failures for each in works), default=0),
            error=errors[0] if errors else None,
            called=max(done) if done else None,
            heard=heard.get(peer.site),
            reconciled=word[0] if word else None,
            difference=word[1] if word else None,
            claimed=exchange.peers.claimed(peer),
        )

    return tuple(one(each) for each in peers)


def _counts(session: Session) -> Mapping[tuple[str, str, str], Count]:
    """Of each peer, direction and state; what has come to its good end is not counted, for of that there is no end."""
    wanted = [
        sa.and_(MessageRow.direction == direction, MessageRow.state.in_(states))
        for direction, states in _COUNTED.items()
    ]
    rows = session.execute(
        sa.select(
            MessageRow.peer,
            MessageRow.direction,
            MessageRow.state,
            sa.func.count(),
            sa.func.min(MessageRow.at),
        )
        .where(sa.or_(*wanted))
        .group_by(MessageRow.peer, MessageRow.direction, MessageRow.state)
    )
    return {(peer, direction, state): Count(number, since) for peer, direction, state, number, since in rows}


def _chains(session: Session) -> Mapping[tuple[str, str], tuple[int, str]]:
    return {(row.direction, row.peer): (row.seq, row.head) for row in session.scalars(sa.select(ChainRow))}


def _couriers(session: Session) -> Mapping[str, list[CourierRow]]:
    found: dict[str, list[CourierRow]] = {}
    for row in session.scalars(sa.select(CourierRow).order_by(CourierRow.peer, CourierRow.work)):
        session.expunge(row)
        found.setdefault(row.peer, []).append(row)
    return found


def _heard(session: Session) -> Mapping[str, datetime]:
    """When each peer's last signature came: over its messages, a receipt, or its word in reconciling."""

    def last(kind: type[SealRow] | type[ReceiptRow], direction: Direction) -> sa.ScalarSelect[datetime]:
        newest = sa.select(kind.at).where(kind.direction == direction, kind.peer == PeerRow.site)
        return newest.order_by(kind.upto.desc()).limit(1).scalar_subquery()

    word = sa.select(ReconciliationRow.at).where(ReconciliationRow.peer == PeerRow.site)
    query = sa.select(
        PeerRow.site,
        last(SealRow, Direction.IN),
        last(ReceiptRow, Direction.OUT),
        word.order_by(ReconciliationRow.id.desc()).limit(1).scalar_subquery(),
    )
    found = ((site, list(filter(None, instants))) for site, *instants in session.execute(query))
    return {site: max(instants) for site, instants in found if instants}


def _words(session: Session) -> Mapping[str, tuple[datetime, str | None]]:
    """When each peer was last reconciled with, and what differed."""
    newest = sa.select(sa.func.max(ReconciliationRow.id)).group_by(ReconciliationRow.peer)
    rows = session.scalars(sa.select(ReconciliationRow).where(ReconciliationRow.id.in_(newest)))
    return {row.peer: (row.at, row.difference) for row in rows}


def _text(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None
