"""What departments' systems, and people by hand, do with messages of their own: send them, and fetch what comes for their organ.

Which kinds of message a system sends or fetches for which organ, people decided: it holds a grant over that kind (`Exchange:ORGAN/KIND`),
or over all of an organ. Kinds that an application of the platform has are nobody else's.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.models import OrganRow as DirectoryOrgan
from exchange.content import Opened
from exchange.errors import KindReserved, NoSuchFile, NoSuchMessage, NotItsTurn
from exchange.models import Direction, MessageRow, State
from exchange.send import Sent
from exchange.service import Exchange
from yinxin.act import Actor
from yinxin.authz import Decision, Level, Resource
from yinxin.exchange import File, Outgoing

SEND, FETCH, ACKNOWLEDGE = "exchange.send", "exchange.fetch", "exchange.acknowledge"
#: kinds of message that the sites themselves speak in begin so; nobody else does
_OURS = "exchange."
#: states of what has come and can be opened
_OPEN = (State.RECEIVED, State.DELIVERED)
#: why a message counts as undeliverable that its system cannot use
UNUSABLE = "exchange.unusable"


def of_kind(organ: str, kind: str, grade: Level = "public") -> Resource:
    """An organ's messages of a kind, as decisions and grants name them."""
    return Resource("Exchange", f"{organ}/{kind}", organ, grade)


def owner_of_kind(session: Session, name: str) -> str | None:
    """The organ of `ORGAN/KIND`; None when the directory has no such organ, or that is no kind."""
    organ, _, kind = name.partition("/")
    known = session.get(DirectoryOrgan, organ) if 0 < len(kind) <= 40 else None
    return None if known is None else organ


def permitted(exchange: Exchange, actor: Actor, verb: str, about: Resource) -> Decision:
    """That she may; raises Denied."""
    return exchange.decider.require(actor, verb, about)


def send_for(exchange: Exchange, actor: Actor, wanted: Outgoing) -> Sent:
    """As `Sending.send`; raises Denied, and KindReserved for a kind that is the platform's."""
    about = of_kind(wanted.sender[:64], wanted.kind[:40], wanted.grade)
    decision = permitted(exchange, actor, SEND, about)
    with exchange.store.refusing(actor, SEND, f"reference:{wanted.reference[:120]}"):
        _free(exchange, wanted.kind)
    return exchange.sending.send(actor, wanted, decision.record())


def sent_for(exchange: Exchange, actor: Actor, sender: str, reference: str) -> MessageRow:
    """What became of a message that an organ sent under this reference; raises NoSuchMessage, Denied."""
    query = sa.select(MessageRow).where(
        MessageRow.sender == sender[:64], MessageRow.reference == reference[:120]
    )
    with exchange.store.read() as session:
        row = session.scalars(query).one_or_none()
        session.expunge_all()
    permitted(exchange, actor, SEND, of_kind(sender[:64], row.kind if row else "-"))
    if row is None:
        raise NoSuchMessage(message=reference[:120])
    return row


def inbox_for(
    exchange: Exchange, actor: Actor, organ: str, kind: str, *, after: tuple[str, int], limit: int
) -> Sequence[MessageRow]:
    """What has come for an organ, of a kind, and was not acknowledged yet: by site, in the order in which it sent them.

    Raises Denied, KindReserved.
    """
    permitted(exchange, actor, FETCH, of_kind(organ, kind))
    _free(exchange, kind)
    place = sa.tuple_(MessageRow.peer, MessageRow.seq)
    query = (
        sa.select(MessageRow)
        .where(
            MessageRow.direction == Direction.IN,
            MessageRow.state == State.RECEIVED,
            MessageRow.kind == kind,
            MessageRow.recipient == organ,
            place > sa.tuple_(*map(sa.literal, after)),
        )
        .order_by(MessageRow.peer, MessageRow.seq)
        .limit(limit)
    )
    with exchange.store.read() as session:
        rows = session.scalars(query).all()
        session.expunge_all()
        return rows


def opened_for(exchange: Exchange, actor: Actor, peer: str, id_: str) -> Opened:
    """A message that came, opened, and that it was opened for her on record.

    Raises NoSuchMessage, KindReserved, Denied, PartAltered, and what the key centre raises.
    """
    row, decision = _fetched(exchange, actor, FETCH, peer, id_)
    with exchange.store.refusing(actor, FETCH, f"message:{row.id}"):
        message = exchange.delivering.open(row)
    exchange.store.note(
        actor, FETCH, f"message:{row.id}", decision=decision.record(), peer=row.peer, seq=row.seq
    )
    return message


def file_for(
    exchange: Exchange, actor: Actor, peer: str, id_: str, number: int
) -> tuple[File, Iterator[bytes]]:
    """One of its files and its content; raises NoSuchFile besides, and PartAltered before the first octet is given."""
    row, decision = _fetched(exchange, actor, FETCH, peer, id_)
    with exchange.store.refusing(actor, FETCH, f"message:{row.id}"):
        message = exchange.delivering.open(row)
        if not 0 <= number < len(message.files):
            raise NoSuchFile(message=row.id, number=number)
        pieces = message.read(number)
        first = next(pieces, b"")
    exchange.store.note(
        actor, FETCH, f"message:{row.id}", decision=decision.record(), peer=row.peer, seq=row.seq, file=number
    )

    def told() -> Iterator[bytes]:
        yield first
        yield from pieces

    return message.files[number], told()


def acknowledge_for(exchange: Exchange, actor: Actor, peer: str, id_: str, *, unusable: str = "") -> None:
    """The system has it, durably: it is not offered again. `unusable` says why it can do nothing with it.

    In the order in which the other site sent them, for each organ and kind; a second time changes nothing. Raises NoSuchMessage,
    KindReserved, NotItsTurn, Denied.
    """
    row, decision = _fetched(exchange, actor, ACKNOWLEDGE, peer, id_)
    if row.state != State.RECEIVED:
        return
    with exchange.store.act(
        actor, ACKNOWLEDGE, f"message:{row.id}", peer=row.peer, seq=row.seq, kind=row.kind
    ) as act:
        act.decision = decision.record()
        held = act.session.get_one(MessageRow, (Direction.IN, row.peer, row.seq), with_for_update=True)
        before = sa.select(sa.func.min(MessageRow.seq)).where(
            MessageRow.direction == Direction.IN,
            MessageRow.peer == row.peer,
            MessageRow.state == State.RECEIVED,
            MessageRow.kind == row.kind,
            MessageRow.recipient == row.recipient,
        )
        first = act.session.scalar(before)
        if first is not None and first < row.seq:
            raise NotItsTurn(message=row.id, first=first)
        if held.state == State.RECEIVED:
            held.state = State.UNDELIVERABLE if unusable else State.DELIVERED
            held.error = UNUSABLE if unusable else None
            held.settled = exchange.store.clock.now()
        if unusable:
            act.facts["unusable"] = unusable


def seen_for(exchange: Exchange, actor: Actor, verb: str, row: MessageRow) -> bool:
    """Whether somebody who does not look after the platform may, of this one message, by its organ and kind."""
    organ = row.sender if row.direction == Direction.OUT else row.recipient
    return exchange.decider.check(actor, verb, of_kind(organ, row.kind)).allowed


def _fetched(exchange: Exchange, actor: Actor, verb: str, peer: str, id_: str) -> tuple[MessageRow, Decision]:
    """The message, and that she may; raises NoSuchMessage, also for one that is not hers to know of."""
    query = sa.select(MessageRow).where(
        MessageRow.direction == Direction.IN,
        MessageRow.peer == peer[:64],
        MessageRow.id == id_[:40],
        MessageRow.state.in_((*_OPEN, State.UNDELIVERABLE)),
    )
    with exchange.store.read() as session:
        row = session.scalars(query).one_or_none()
        session.expunge_all()
    if row is None or not seen_for(exchange, actor, verb, row):
        raise NoSuchMessage(message=id_[:40])
    grade: Any = row.grade
    decision = permitted(exchange, actor, verb, of_kind(row.recipient, row.kind, grade))
    _free(exchange, row.kind)
    return row, decision


def _free(exchange: Exchange, kind: str) -> None:
    """Raise KindReserved for a kind that an application of the platform has."""
    if kind.startswith(_OURS) or exchange.application(kind) is not None:
        raise KindReserved(kind=kind[:40])
