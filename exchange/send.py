"""Sending: a message is sealed, numbered and chained, and on disk in the outbox before anybody is told that it was sent.

A message that is graded above what its recipient is cleared for never gets so far; the refusal is on record.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from exchange.closing import PIECE, close_key, pieces_of, sealed, suite_for, whose
from exchange.content import described, written
from exchange.context import Context
from exchange.errors import Forked, ReferenceReused, TooLarge, TooSecret
from exchange.header import MOST_PARTS, Header, Part, digest_of
from exchange.models import ChainRow, Direction, MessageRow, PartRow, State
from exchange.peers import Recipient
from yinxin.act import Actor
from yinxin.authz import LEVEL_TEXT, LEVELS, Level
from yinxin.clock import rfc3339
from yinxin.crypto import aead
from yinxin.crypto.path import Usage, validate
from yinxin.exchange import Outgoing
from yinxin.steps import step
from yinxin.store import as_good

VERB = "exchange.send"
#: the parts of a message, and its key for the recipient
Sealed = tuple[tuple[Part, ...], bytes]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message in the outbox: its identifier, and its number among those to its peer."""

    id: str
    peer: str
    seq: int
    state: str


class Sending:
    """The verb of sending. Who may is asked before."""

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.store
        self._own = ctx.own
        self._peers = ctx.peers
        self._folder = ctx.folder
        self._settings = ctx.settings

    def send(self, actor: Actor, wanted: Outgoing, decision: Mapping[str, Any] | None = None) -> Sent:
        """Put a message into the outbox, once for its reference.

        1. Its recipient is reached, cleared for it, and of this exchange. 2. Its parts are sealed for the recipient alone,
        and on disk. 3. It gets the next number to that peer and its place in the chain, in the transaction that records it.

        Raises ExchangeOff, NotOurOrgan, UnknownRecipient, TooSecret, ReferenceReused, TooLarge, NotCanonical, and what
        `path.validate` raises of the recipient's certificate.
        """
        with self._store.refusing(actor, VERB, f"reference:{wanted.reference[:120]}"):
            if (known := self._known(wanted)) is not None:
                return known
            recipient = self._reached(wanted)
            id_ = self._store.identifier()
            closed = self._sealed(id_, recipient, wanted)
        step("exchange.send.1-sealed")
        try:
            with self._store.act(actor, VERB, f"message:{id_}", taken=as_good) as act:
                act.decision = None if decision is None else dict(decision)
                sent, header = self._number(act.session, id_, recipient, wanted, closed)
                act.facts |= {
                    "peer": sent.peer,
                    "seq": sent.seq,
                    "digest": header.digest,
                    "sender": header.sender,
                    "recipient": header.recipient,
                    "kind": header.kind,
                    "about": header.object,
                    "grade": header.grade,
                }
        except IntegrityError:  # another sent it under the same reference meanwhile
            if (known := self._known(wanted)) is None:
                raise
            return known
        step("exchange.send.2-kept")
        return sent

    def _known(self, wanted: Outgoing) -> Sent | None:
        with self._store.read() as session:
            row = session.scalars(
                sa.select(MessageRow).where(
                    MessageRow.sender == wanted.sender, MessageRow.reference == wanted.reference
                )
            ).one_or_none()
        if row is None:
            return None
        said = (row.recipient, row.kind, row.object, row.grade)
        if said != (wanted.recipient, wanted.kind, wanted.object, wanted.grade):
            raise ReferenceReused(reference=wanted.reference, id=row.id)
        return Sent(row.id, row.peer, row.seq, row.state)

    def _reached(self, wanted: Outgoing) -> Recipient:
        _ = self._own.site
        self._own.demand(wanted.sender)
        recipient = self._peers.recipient(wanted.recipient)
        demand_cleared(recipient, wanted.object, wanted.grade)
        if len(wanted.files) >= MOST_PARTS:
            raise TooLarge(size=len(wanted.files), limit=MOST_PARTS - 1)
        card = recipient.peer.card
        validate(
            recipient.certificate,
            card.authorities,
            card.anchors,
            at=self._store.clock.now(),
            usage=Usage.ENCRYPTION,
            require_revocation=False,  # what ended before its time a newer card of its site no longer names
        )
        return recipient

    def _sealed(self, id_: str, recipient: Recipient, wanted: Outgoing) -> Sealed:
        suite = suite_for(recipient.certificate)
        key = aead.generate_key(suite)
        message = whose(self._own.site, wanted.sender, wanted.recipient, id_)
        said = written(wanted.body, [described(each) for each in wanted.files])
        # a file of ours that changes while it is read is found out by its reader: its digest is in the first part
        parts = [self._kept(id_, 0, sealed(suite, key, message, 0, _pieces(said)))]
        for number, file in enumerate(wanted.files, 1):
            with file.path.open("rb") as stream:
                octets = sealed(suite, key, message, number, pieces_of(stream))
                parts.append(self._kept(id_, number, octets))
        return tuple(parts), close_key(recipient.certificate, key)

    def _kept(self, id_: str, number: int, octets: Iterable[bytes]) -> Part:
        return self._folder.write(self._own.suite, f"{id_}-{number}", octets, self._settings.largest)

    def _number(
        self, session: Session, id_: str, recipient: Recipient, wanted: Outgoing, closed: Sealed
    ) -> tuple[Sent, Header]:
        (parts, key), peer, now = closed, recipient.peer.site, self._store.clock.now()
        chain = locked_chain(session, Direction.OUT, peer)
        header = Header(
            suite=self._own.suite,
            sender_site=self._own.site,
            recipient_site=peer,
            seq=chain.seq + 1,
            previous=chain.head,
            id=id_,
            sender=wanted.sender,
            recipient=wanted.recipient,
            kind=wanted.kind,
            object=wanted.object,
            grade=wanted.grade,
            at=rfc3339(now),
            key=digest_of(self._own.suite, key),
            parts=parts,
        )
        Header.decode(header.encoded)  # what the other site would refuse does not get a number
        enter(session, Direction.OUT, header, key, State.WAITING, now=now, reference=wanted.reference)
        chain.seq, chain.head = header.seq, header.digest
        session.flush()
        return Sent(id_, peer, header.seq, State.WAITING), header


def demand_cleared(recipient: Recipient, object_: str, grade: Level) -> None:
    """Raise TooSecret unless what is graded so may go to the recipient."""
    if LEVELS.index(grade) > LEVELS.index(recipient.clearance):
        raise TooSecret(
            object=object_,
            grade=LEVEL_TEXT[grade],
            recipient=recipient.name,
            clearance=LEVEL_TEXT[recipient.clearance],
        )


def locked_chain(session: Session, direction: Direction, peer: str) -> ChainRow:
    """How far a direction has come; nobody else moves it until the transaction ends."""
    chain = session.get(ChainRow, (direction, peer), with_for_update=True)
    if chain is None:
        raise LookupError(f"no chain for {peer}")  # made with its peer, and never removed
    return chain


def enter(
    session: Session,
    direction: Direction,
    header: Header,
    key: bytes,
    state: State,
    *,
    now: datetime,
    reference: str | None = None,
    error: str | None = None,
) -> None:
    """Put a message and its parts on record; `now` is when it was made or came. Raises Forked for an identifier used before."""
    peer = header.recipient_site if direction is Direction.OUT else header.sender_site
    used = sa.select(MessageRow.seq).where(
        MessageRow.direction == direction, MessageRow.peer == peer, MessageRow.id == header.id
    )
    if (seq := session.scalar(used)) is not None:
        raise Forked(peer=peer, seq=seq)
    session.add(
        MessageRow(
            direction=direction,
            peer=peer,
            seq=header.seq,
            id=header.id,
            reference=reference,
            header=header.encoded,
            digest=header.digest,
            key=key,
            sender=header.sender,
            recipient=header.recipient,
            kind=header.kind,
            object=header.object,
            grade=header.grade,
            state=state,
            error=error,
            at=now,
            settled=now if state is State.REFUSED else None,
        )
    )
    session.flush()
    session.add_all(
        PartRow(
            direction=direction,
            peer=peer,
            seq=header.seq,
            number=number,
            digest=part.digest,
            size=part.size,
        )
        for number, part in enumerate(header.parts)
    )
    session.flush()


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)] or [b""]
