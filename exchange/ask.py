"""The exchange in somebody's name: permitted by the policies, and recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple

import sqlalchemy as sa

from exchange.carry import Carried
from exchange.check import VERB as CHECK
from exchange.check import Checked, check
from exchange.desk import seen_for
from exchange.errors import AmbiguousMessage, NoSuchMessage, PeerUnreachable
from exchange.introduce import card_in
from exchange.life import Life, life
from exchange.models import Carrier, Direction, MessageRow
from exchange.reconcile import Reconciled
from exchange.reports import Report, reports
from exchange.service import Exchange
from exchange.standing import Standing, standings
from yinxin.act import Actor, Kind
from yinxin.authz import PLATFORM, Decision, Resource
from yinxin.clock import parse_rfc3339, rfc3339

READ, CARD, CALL = "exchange.read", "exchange.show-card", "exchange.call"
CARRY_OUT, CARRY_IN = "exchange.carry-out", "exchange.carry-in"
_CHUNK = 1 << 20
#: messages that are read at once where all are wanted
_PAGE = 500
#: of a message in tables
COLUMNS = (
    *("id", "direction", "peer", "seq", "sender", "recipient", "kind", "object", "grade"),
    *("state", "error", "at", "settled", "digest"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages: whatever is left out is anything. Times are the instant a message was made or came."""

    direction: str = ""
    peer: str = ""
    organ: str = ""
    kind: str = ""
    object: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Place(NamedTuple):
    """Where a message stands in the log, as its cursor names it."""

    at: str
    direction: str
    peer: str
    seq: int


@dataclass(frozen=True, slots=True)
class Known:
    """How a message is called: its identifier is its sender's, so that it is one message with its site and direction alone."""

    id: str
    peer: str = ""
    direction: str = ""


def permitted(exchange: Exchange, actor: Actor, verb: str, organ: str = PLATFORM) -> Decision:
    """That she may; raises Denied."""
    return exchange.decider.require(actor, verb, Resource("Exchange", "exchange", organ))


def may(exchange: Exchange, actor: Actor, verb: str) -> bool:
    """Whether she may do this for the site: what a page offers."""
    return exchange.decider.check(actor, verb, Resource("Exchange", "exchange", PLATFORM)).allowed


def peers_for(
    exchange: Exchange, actor: Actor, *, after: str = "", limit: int | None = None
) -> tuple[Standing, ...]:
    """How exchange stands with every peer behind the one of this identifier; raises Denied."""
    permitted(exchange, actor, READ)
    return standings(exchange, exchange.peers.all(after=after, limit=limit))


def peer_for(exchange: Exchange, actor: Actor, site: str) -> Standing:
    """How exchange stands with one peer, that is or was; raises Denied, UnknownPeer."""
    permitted(exchange, actor, READ)
    return standings(exchange, [exchange.peers.known(site)])[0]


def peer_card_for(exchange: Exchange, actor: Actor, site: str) -> tuple[bytes, str]:
    """A peer's card as it is on record, and its digest; raises Denied, UnknownPeer."""
    permitted(exchange, actor, READ)
    peer = exchange.peers.known(site)
    return peer.signed, peer.card.digest


def card_for(exchange: Exchange, actor: Actor) -> tuple[bytes, str]:
    """This site's card, signed, and its digest, to be compared by another way; raises ExchangeOff, Denied."""
    decision = permitted(exchange, actor, CARD)
    data = exchange.publishing.card()
    card = card_in(data)
    with exchange.store.act(actor, CARD, f"exchange-peer:{card.site}", version=card.version) as act:
        act.decision = decision.record()
        act.facts["digest"] = card.digest
    return data, card.digest


def messages_for(
    exchange: Exchange, actor: Actor, wanted: Filter, *, before: Place | None = None, limit: int = 50
) -> Sequence[MessageRow]:
    """A page of the message log, newest first; `before` is the place of the last one seen.

    Whoever does not look after the platform sees the messages of the own organ. Raises Denied.
    """
    organ = _seen(exchange, actor)
    query = _hosts(exchange, organ).order_by(
        MessageRow.at.desc(), MessageRow.direction, MessageRow.peer, MessageRow.seq
    )
    named = {
        MessageRow.direction: wanted.direction,
        MessageRow.peer: wanted.peer,
        MessageRow.kind: wanted.kind,
        MessageRow.object: wanted.object,
        MessageRow.state: wanted.state,
    }
    query = query.where(*(column == value for column, value in named.items() if value))
    for each in filter(None, (wanted.organ, organ)):
        query = query.where(sa.or_(MessageRow.sender == each, MessageRow.recipient == each))
    if wanted.since is not None:
        query = query.where(MessageRow.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(MessageRow.at < wanted.until)
    if before:
        at = parse_rfc3339(before.at)
        further = sa.tuple_(MessageRow.direction, MessageRow.peer, MessageRow.seq) > sa.tuple_(
            sa.literal(before.direction), sa.literal(before.peer), sa.literal(before.seq)
        )
        query = query.where(sa.or_(MessageRow.at < at, sa.and_(MessageRow.at == at, further)))
    with exchange.store.read() as session:
        rows = session.scalars(query.limit(limit)).all()
        session.expunge_all()
        return rows


def message_for(exchange: Exchange, actor: Actor, wanted: Known) -> MessageRow:
    """One message of the log.

    Raises NoSuchMessage, also for one that is not the asker's to see; AmbiguousMessage, for two sites may call different messages
    alike; Denied.
    """
    service = actor.kind is Kind.SERVICE
    organ = "" if service else _seen(exchange, actor)
    query = sa.select(MessageRow) if service else _hosts(exchange, organ)
    query = query.where(MessageRow.id == wanted.id[:40])
    named = {MessageRow.direction: wanted.direction, MessageRow.peer: wanted.peer[:64]}
    query = query.where(*(column == value for column, value in named.items() if value))
    if organ:
        query = query.where(sa.or_(MessageRow.sender == organ, MessageRow.recipient == organ))
    with exchange.store.read() as session:
        rows = session.scalars(query.limit(2)).all()
        session.expunge_all()
    if service:  # of these organs and kinds that it was granted
        rows = [each for each in rows if seen_for(exchange, actor, READ, each)]
    if len(rows) > 1:
        raise AmbiguousMessage(message=wanted.id[:40])
    if not rows:
        raise NoSuchMessage(message=wanted.id[:40])
    return rows[0]


def life_for(exchange: Exchange, actor: Actor, wanted: Known) -> Life:
    """A message with its life; raises as `message_for`."""
    return life(exchange, message_for(exchange, actor, wanted))


def every_for(exchange: Exchange, actor: Actor, wanted: Filter) -> Iterator[MessageRow]:
    """All messages that match, page by page; raises Denied at once."""
    first = messages_for(exchange, actor, wanted, limit=_PAGE)

    def told() -> Iterator[MessageRow]:
        page = first
        while page:
            yield from page
            page = messages_for(exchange, actor, wanted, before=place(page[-1]), limit=_PAGE)

    return told()


def place(row: MessageRow) -> Place:
    """A message's place in the log."""
    return Place(rfc3339(row.at), row.direction, row.peer, row.seq)


def shown(row: MessageRow) -> dict[str, Any]:
    """A message as text and numbers: everything that its header says, and where it stands."""
    return {
        "id": row.id,
        "direction": row.direction,
        "peer": row.peer,
        "seq": row.seq,
        "sender": row.sender,
        "recipient": row.recipient,
        "kind": row.kind,
        "object": row.object,
        "grade": row.grade,
        "state": row.state,
        "error": row.error,
        "at": rfc3339(row.at),
        "settled": rfc3339(row.settled) if row.settled else None,
        "digest": row.digest,
    }


def carry_out_for(exchange: Exchange, actor: Actor, site: str, file: Path) -> int:
    """As `Carrying.out`; raises Denied, UnknownPeer besides."""
    decision = permitted(exchange, actor, CARRY_OUT)
    peer = exchange.peers.get(site)
    count = exchange.carrying.out(peer, file)
    with exchange.store.act(actor, CARRY_OUT, f"exchange-peer:{site}", messages=count) as act:
        act.decision = decision.record()
    return count


def carried_out_for(exchange: Exchange, actor: Actor, site: str) -> tuple[Iterator[bytes], int]:
    """As `carry_out_for`, the file as it is sent to whoever asked, and how many messages are in it."""
    with TemporaryDirectory(prefix="yinxin-") as folder:
        file = Path(folder) / "medium"
        count = carry_out_for(exchange, actor, site, file)
        stream = file.open("rb")  # it lasts until it is closed, and leaves nothing behind
    return _pieces(stream), count


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while data := stream.read(_CHUNK):
            yield data


def carry_in_for(exchange: Exchange, actor: Actor, stream: BinaryIO) -> Carried:
    """As `Carrying.take`, delivered at once; raises Denied besides."""
    decision = permitted(exchange, actor, CARRY_IN)
    with exchange.store.refusing(actor, CARRY_IN, "exchange"):
        carried = exchange.carrying.take(stream)
    with exchange.store.act(actor, CARRY_IN, "exchange", messages=carried.messages) as act:
        act.decision = decision.record()
        act.facts |= {"settled": carried.settled, "early": carried.early}
    exchange.delivering.run()
    return carried


def reconcile_for(exchange: Exchange, actor: Actor, site: str) -> Reconciled:
    """Reconcile with a peer now; raises Denied, UnknownPeer, PeerUnreachable."""
    decision = permitted(exchange, actor, CALL)
    with exchange.store.act(actor, CALL, f"exchange-peer:{site[:64]}") as act:
        act.decision = decision.record()
    peer = exchange.peers.get(site)
    if peer.carrier is Carrier.NATS:
        # its word comes the same way as its messages do, by and by
        exchange.post.work(at_once=True)
        raise PeerUnreachable(site=peer.site, reason="NATS")
    exchange.courier.call(peer, at_once=True)
    return exchange.reconciling.ask(peer)


def check_for(exchange: Exchange, actor: Actor) -> Checked:
    """As `check.check`; raises Denied besides."""
    decision = permitted(exchange, actor, CHECK)
    ca = exchange.ca
    roots = {chain[-1] for name in ca.authorities() for chain in ca.chains(name)}
    return check(exchange.ctx, tuple(roots), actor, decision.record())


def reports_for(
    exchange: Exchange, actor: Actor, site: str, *, before: str = "", limit: int
) -> Sequence[Report]:
    """What reconciling with a peer, or with all, came to, newest first; raises Denied."""
    permitted(exchange, actor, READ)
    return reports(exchange.store, site[:64], before=before, limit=limit)


def _hosts(exchange: Exchange, organ: str) -> sa.Select[MessageRow]:
    """The messages, for an organ that is limited to its own; for the site itself but for those of tenants, which are listed for them only."""
    query = sa.select(MessageRow)
    if organ or not (tenants := exchange.tenants()):
        return query
    own = sa.case((MessageRow.direction == Direction.OUT, MessageRow.sender), else_=MessageRow.recipient)
    return query.where(own.not_in(sorted(tenants)))


def _seen(exchange: Exchange, actor: Actor) -> str:
    """The organ to whose messages the actor is limited; none for whoever looks after the platform. Raises Denied."""
    decided = exchange.decider.check(actor, READ, Resource("Exchange", "exchange", PLATFORM))
    if decided.allowed:
        return ""
    organ = actor.organ or PLATFORM
    permitted(exchange, actor, READ, organ)
    return organ
