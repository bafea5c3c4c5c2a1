"""Sending: a message is sealed, numbered and chained, and on disk in the outbox before anybody is told that it was sent.

A message that is graded above what its recipient is cleared for never gets so far; the refusal is on record.
"""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextvars import Context as Surroundings
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from exchange.closing import PIECE, close_key, pieces_of, sealed, suite_for, whose
from exchange.content import described, written
from exchange.context import Context
from exchange.enter import Entered, enter, locked_chain
from exchange.errors import ReferenceReused, TooLarge, TooSecret
from exchange.header import MOST_PARTS, Header, Part, digest_of
from exchange.models import Direction, MessageRow, State
from exchange.packs import SMALL, Slot, small
from exchange.peers import Recipient
from yinxin.act import Actor
from yinxin.authz import LEVEL_TEXT, LEVELS, Level
from yinxin.clock import rfc3339
from yinxin.crypto import aead
from yinxin.crypto.path import Usage, validate
from yinxin.errors import YinxinError
from yinxin.exchange import File, Outgoing
from yinxin.gather import Gatherer
from yinxin.steps import step
from yinxin.store import Act, Sql, as_good

_log = logging.getLogger("yinxin.exchange")

VERB = "exchange.send"
#: messages that get their numbers in one transaction
TOGETHER = 64
#: how long a recipient's certificate that was found good is not looked at again
_GOOD = timedelta(minutes=1)
_MESSAGE = cast("sa.Table", MessageRow.__table__).c
_KNOWN = Sql(
    sa.select(
        *(_MESSAGE.id, _MESSAGE.peer, _MESSAGE.seq, _MESSAGE.state),
        *(_MESSAGE.recipient, _MESSAGE.kind, _MESSAGE.object, _MESSAGE.grade),
    ).where(_MESSAGE.sender == sa.bindparam("sender"), _MESSAGE.reference == sa.bindparam("reference"))
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message in the outbox: its identifier, and its number among those to its peer."""

    id: str
    peer: str
    seq: int
    state: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A message that has no number yet: its parts, the octets of small ones, and its key for the recipient.

    `octets` is None where every part is a file already. Its record belongs to the surroundings of whoever sends it.
    """

    id: str
    actor: Actor
    wanted: Outgoing
    decision: Mapping[str, Any] | None
    recipient: Recipient
    parts: tuple[Part, ...]
    octets: bytes | None = field(repr=False)
    key: bytes = field(repr=False)
    #: of its record, where that is not the act's own
    entry: str
    surroundings: Surroundings = field(default_factory=copy_context, repr=False)


class Sending:
    """The verb of sending. Who may is asked before.

    Messages that are sent at the same time by several threads of a process go on disk and on record together: one file, one
    transaction, for each its own number and record.
    """

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.store
        self._own = ctx.own
        self._peers = ctx.peers
        self._folder = ctx.folder
        self._settings = ctx.settings
        self._gatherer = Gatherer[Closed, Sent](TOGETHER)
        #: until when the recipient's certificate on a card is known to be good
        self._good: dict[tuple[bytes, bytes], datetime] = {}

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
            closed = self._closed(actor, wanted, decision, self._reached(wanted))
        try:
            sent = self._gatherer.join(closed, self._together) or self._numbered([closed])[0]
        except IntegrityError:  # another sent it under the same reference meanwhile
            if (known := self._known(wanted)) is None:
                raise
            return known
        step("exchange.send.2-kept")
        return sent

    def _known(self, wanted: Outgoing) -> Sent | None:
        with self._store.look() as look:
            row = _KNOWN.first(look, {"sender": wanted.sender, "reference": wanted.reference})
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
        self._demand_good(recipient)
        return recipient

    def _demand_good(self, recipient: Recipient) -> None:
        """Raise what is wrong with the recipient's certificate."""
        card, now = recipient.peer.card, self._store.clock.now()
        of = (recipient.certificate.der, recipient.peer.signed)
        if now < self._good.get(of, now):
            return
        found = validate(
            recipient.certificate,
            card.authorities,
            card.anchors,
            at=now,
            usage=Usage.ENCRYPTION,
            require_revocation=False,  # what ended before its time a newer card of its site no longer names
        )
        if len(self._good) >= TOGETHER:
            self._good.clear()
        self._good[of] = min(now + _GOOD, *(each.not_after for each in found.certificates))

    # --- its parts ---------------------------------------------------------------------------------------------

    def _closed(
        self, actor: Actor, wanted: Outgoing, decision: Mapping[str, Any] | None, recipient: Recipient
    ) -> Closed:
        id_ = self._store.identifier()
        suite = suite_for(recipient.certificate)
        key = aead.generate_key(suite)
        message = whose(self._own.site, wanted.sender, wanted.recipient, id_)
        contents = _contents(wanted)
        said = written(wanted.body, _described(wanted, contents))

        def octets(number: int) -> Iterable[bytes]:
            if number == 0:
                yield from sealed(suite, key, message, 0, _pieces(said))
            elif contents is not None:
                yield from sealed(suite, key, message, number, _pieces(contents[number - 1]))
            else:  # a file of ours that changes while it is read is found out by its reader: its digest is in the first part
                with wanted.files[number - 1].path.open("rb") as stream:
                    yield from sealed(suite, key, message, number, pieces_of(stream))

        numbers = range(len(wanted.files) + 1)
        held: bytes | None = None
        parts: tuple[Part, ...] = ()
        if contents is not None:
            each_ = [b"".join(octets(number)) for number in numbers]
            parts = tuple(Part(digest_of(self._own.suite, each), len(each)) for each in each_)
            if (largest := max(each.size for each in parts)) > self._settings.largest:
                raise TooLarge(size=largest, limit=self._settings.largest)
            held = b"".join(each_)
        if held is None or not small(parts):
            held, parts = None, tuple(self._kept(id_, number, octets(number)) for number in numbers)
        closed = close_key(recipient.certificate, key)
        entry = self._store.identifier()
        return Closed(id_, actor, wanted, decision, recipient, parts, held, closed, entry)

    def _kept(self, id_: str, number: int, octets: Iterable[bytes]) -> Part:
        return self._folder.write(self._own.suite, f"{id_}-{number}", octets, self._settings.largest)

    def _packed(self, group: Sequence[Closed]) -> Mapping[str, Slot]:
        """Put the small parts of these messages on disk together; where those of each begin, by its identifier."""
        held = {each.id: each.octets for each in group if each.octets is not None}
        if not held:
            return {}
        name, found, at = self._store.identifier(), dict[str, Slot](), 0
        for id_, octets in held.items():
            found[id_] = Slot(name, at)
            at += len(octets)
        self._folder.pack(name, held.values())
        return found

    # --- its number --------------------------------------------------------------------------------------------

    def _together(self, group: Sequence[Closed]) -> Sequence[Sent | None]:
        """What becomes of each; None for all of several when the whole fails, so that each finds its own reason."""
        if len(group) == 1:
            return self._numbered(group)
        try:
            return self._numbered(group)
        except (YinxinError, IntegrityError):
            return [None] * len(group)
        except Exception:  # noqa: BLE001 - whatever it was, each finds its own reason
            _log.exception("%d messages failed together and go alone", len(group))
            return [None] * len(group)

    def _numbered(self, group: Sequence[Closed]) -> Sequence[Sent]:
        """On disk, then numbered, chained and recorded in one transaction."""
        places = self._packed(group)
        step("exchange.send.1-sealed")
        first = group[0]
        with self._store.act(first.actor, VERB, f"message:{first.id}", taken=as_good) as act:
            now = self._store.clock.now()
            headers = self._headers(act.session, group, now)
            entries = [
                Entered(
                    headers[each.id],
                    each.key,
                    State.WAITING,
                    reference=each.wanted.reference,
                    packed=places.get(each.id),
                )
                for each in group
            ]
            enter(act.session, Direction.OUT, entries, now)
            for each in group:
                self._recorded(act, each, headers[each.id])
        return [
            Sent(each.id, headers[each.id].recipient_site, headers[each.id].seq, State.WAITING)
            for each in group
        ]

    def _headers(self, session: Session, group: Sequence[Closed], now: datetime) -> Mapping[str, Header]:
        """The headers by the messages' identifiers; the chain of each peer has moved behind them."""
        found: dict[str, Header] = {}
        # chains are locked in one order everywhere: groups of two processes never wait for each other
        for peer in sorted({each.recipient.peer.site for each in group}):
            chain = locked_chain(session, Direction.OUT, peer)
            for each in group:
                if each.recipient.peer.site == peer:
                    header = self._header(each, peer, chain.seq + 1, chain.head, now)
                    chain.seq, chain.head = header.seq, header.digest
                    found[each.id] = header
        session.flush()
        return found

    def _header(self, closed: Closed, peer: str, seq: int, previous: str, now: datetime) -> Header:
        wanted = closed.wanted
        header = Header(
            suite=self._own.suite,
            sender_site=self._own.site,
            recipient_site=peer,
            seq=seq,
            previous=previous,
            id=closed.id,
            sender=wanted.sender,
            recipient=wanted.recipient,
            kind=wanted.kind,
            object=wanted.object,
            grade=wanted.grade,
            at=rfc3339(now),
            key=digest_of(self._own.suite, closed.key),
            parts=closed.parts,
        )
        header.demand_sound()  # what the other site would refuse does not get a number
        return header

    @staticmethod
    def _recorded(act: Act, closed: Closed, header: Header) -> None:
        """The record of each message: the act's own for the first."""
        facts = {
            "peer": header.recipient_site,
            "seq": header.seq,
            "digest": header.digest,
            "sender": header.sender,
            "recipient": header.recipient,
            "kind": header.kind,
            "about": header.object,
            "grade": header.grade,
        }
        decision = None if closed.decision is None else dict(closed.decision)
        subject = f"message:{closed.id}"
        if act.subject == subject:
            act.decision = decision
            act.facts |= facts
        else:
            closed.surroundings.run(_further, act, closed, decision, facts)


def _further(act: Act, closed: Closed, decision: dict[str, Any] | None, facts: Mapping[str, Any]) -> None:
    act.each(closed.entry, f"message:{closed.id}", decision, closed.actor, **facts)


def demand_cleared(recipient: Recipient, object_: str, grade: Level) -> None:
    """Raise TooSecret unless what is graded so may go to the recipient."""
    if LEVELS.index(grade) > LEVELS.index(recipient.clearance):
        raise TooSecret(
            object=object_,
            grade=LEVEL_TEXT[grade],
            recipient=recipient.name,
            clearance=LEVEL_TEXT[recipient.clearance],
        )


def _contents(wanted: Outgoing) -> list[bytes] | None:
    """The files' octets while they are small together; None when they are not, and are read when they are sealed."""
    found, left = list[bytes](), SMALL
    for each in wanted.files:
        with each.path.open("rb", buffering=0) as stream:
            if (size := os.fstat(stream.fileno()).st_size) > left:
                return None
            # not as much as there may be: room for a mebibyte costs more than reading a letter
            found.append(stream.read(size))
            if stream.read(1):
                return None
        left -= len(found[-1])
        if left < 0:
            return None
    return found


def _described(wanted: Outgoing, contents: list[bytes] | None) -> list[File]:
    if contents is not None:
        return [
            described(each, pieces_of(BytesIO(data)))
            for each, data in zip(wanted.files, contents, strict=True)
        ]
    found = []
    for each in wanted.files:
        with each.path.open("rb") as stream:
            found.append(described(each, pieces_of(stream)))
    return found


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)] or [b""]
