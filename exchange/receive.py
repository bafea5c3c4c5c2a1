"""Receiving: what a peer sends is verified, kept and receipted, in the order of its numbers, each message once.

A run that comes too early is kept until those before it are here; one that comes again gets the receipt it got. Nothing
is accepted that could not be signed for, timestamped and logged (law 7).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from exchange.context import Context
from exchange.enter import Entered, enter, locked_chain
from exchange.errors import Forked, NotOurOrgan, NotOurs, TooSecret, UnknownRecipient
from exchange.header import Header, Part
from exchange.models import AwaitedRow, ChainRow, Direction, MessageRow, ReceiptRow, SealRow, State
from exchange.packs import Slot, laid
from exchange.peers import Peer
from exchange.receipt import SEED, Blind, Line, Receipt
from exchange.roll import SIGNED_LAST
from exchange.runs import Reader, Run, run_of
from exchange.signed import Signature, believed
from yinxin.act import SYSTEM
from yinxin.authz import LEVELS, Level
from yinxin.clock import rfc3339
from yinxin.steps import step
from yinxin.store import Act, Sql

VERB, HOLD, SUSPECT = "exchange.receive", "exchange.hold", "exchange.suspect-peer"
#: how far ahead of what is here a message may be to be kept
FURTHEST = 10_000
_MESSAGE = cast("sa.Table", MessageRow.__table__).c
_ON_RECORD = Sql(
    sa.select(_MESSAGE.seq, _MESSAGE.digest).where(
        _MESSAGE.direction == Direction.IN.value,
        _MESSAGE.peer == sa.bindparam("peer"),
        _MESSAGE.seq >= sa.bindparam("first"),
        _MESSAGE.seq <= sa.bindparam("upto"),
    )
)


def _span(peer: Peer, run: Run) -> Mapping[str, Any]:
    return {"peer": peer.site, "first": run.first, "upto": run.upto}


@dataclass(frozen=True, slots=True)
class Receipted:
    """The run is here: the receipt, and its signature.

    `before` are the receipts that some of its messages got in other runs: of a peer that was restored to before it signed those, and
    signs the same messages together or apart anew.
    """

    receipt: bytes
    signature: Signature
    before: tuple["Receipted", ...] = ()


@dataclass(frozen=True, slots=True)
class Lacking:
    """The headers of the run were good, and these parts are still to come; each with the octets of it that are here."""

    run: Run
    parts: tuple[tuple[Part, int], ...]


@dataclass(frozen=True, slots=True)
class Early:
    """Kept until message `expected` is here."""

    expected: int


Answer = Receipted | Lacking | Early


class Receiving:
    """The verb of receiving."""

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.store
        self._own = ctx.own
        self._peers = ctx.peers
        self._signing = ctx.signing
        self._folder = ctx.folder
        self._settings = ctx.settings

    def receive(self, peer: Peer, reader: Reader) -> Answer:
        """Take a run of `peer`, and the parts that come with it.

        1. It is for this site, whole, and signed by the peer. 2. Its parts are here. 3. It continues the chain. 4. Its
        receipt is signed. 5. Messages, chain and receipt are kept in one transaction; only then is the receipt given.

        Raises MalformedEnvelope, NotOurs, NotSignedByPeer, Forked, PartAltered, NoTimestamp, and what the store raises.
        """
        run = reader.run()
        last = run.headers[-1]
        if last.recipient_site != self._own.site or last.sender_site != peer.site:
            raise NotOurs(site=last.recipient_site)
        with self._store.refusing(SYSTEM, VERB, f"exchange-peer:{peer.site}"):
            believed(run.signature, run.signed, peer.card)
        step("exchange.receive.1-verified")
        return self._taken(peer, run, reader.parts(run, self._folder, self._kept(peer, run)))

    def finish(self, peer: Peer, run: Run) -> Answer:
        """Go on with a run that was verified, when parts that it lacked have come; raises as `receive`."""
        return self._taken(peer, run, {})

    def _kept(self, peer: Peer, run: Run) -> Collection[int]:
        """Numbers of those of its messages that are on record, and with them their parts on disk."""
        with self._store.look() as look:
            rows = _ON_RECORD.all(look, _span(peer, run))
        known = {each.seq: each.digest for each in rows}
        return {each.seq for each in run.headers if known.get(each.seq) == each.digest}

    def _taken(self, peer: Peer, run: Run, held: Mapping[str, bytes]) -> Answer:
        """Go on with the run, of whose parts these are in memory."""
        kept = self._kept(peer, run)
        new = [each for each in run.headers if each.seq not in kept]
        missing = [
            (header, part)
            for header in new
            for part in header.parts
            if part.digest not in held and not self._folder.has(part)
        ]
        if missing:  # what is here is kept until the rest comes
            self._unpacked(peer, new, held)
            self._await(peer, missing)
            return Lacking(
                run, tuple((part, self._folder.received(peer.site, part.digest)) for _, part in missing)
            )
        whole = replace(run, packed=self._packed(peer, new, held))
        answer = self._place(peer, whole)
        while answer is None:  # another process was faster
            answer = self._place(peer, whole)
        return answer

    def _packed(self, peer: Peer, headers: Sequence[Header], held: Mapping[str, bytes]) -> Mapping[int, Slot]:
        """Put what is in memory on disk: the parts of messages that are there whole together, any other by itself."""
        whole = [each for each in headers if all(part.digest in held for part in each.parts)]
        numbers = {each.seq for each in whole}
        self._unpacked(peer, [each for each in headers if each.seq not in numbers], held)
        if not whole:
            return {}
        name = self._store.identifier()
        self._folder.pack(name, (held[part.digest] for each in whole for part in each.parts))
        return laid(name, whole)

    def _unpacked(self, peer: Peer, headers: Iterable[Header], held: Mapping[str, bytes]) -> None:
        for header in headers:
            for part in header.parts:
                if (octets := held.get(part.digest)) is not None:
                    here = self._folder.received(peer.site, part.digest)
                    self._folder.take(peer.site, header.suite, part, here, BytesIO(octets[here:]))

    def _await(self, peer: Peer, missing: Sequence[tuple[Header, Part]]) -> None:
        """Let these parts be sent, by whoever may send for the peer; announced twice at once they are awaited once."""
        now = self._store.clock.now()
        with self._store.housekeep() as session:
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            for header, part in missing:
                row = {"peer": peer.site, "digest": part.digest, "size": part.size, "since": now}
                row["suite"] = header.suite.name
                session.execute(insert(AwaitedRow).values(row).on_conflict_do_nothing())

    def _place(self, peer: Peer, run: Run) -> Answer | None:
        """Where the run belongs now; None when that changed meanwhile."""
        with self._store.read() as session:
            chain = session.get(ChainRow, (Direction.IN, peer.site))
            at, head = (chain.seq, chain.head) if chain else (0, "")
            other = self._other(session, peer, run)
            stored = self._stored(session, peer, run, min(run.upto, at))
            twice = run.upto > at and self._signed_twice(session, peer, run)
        if other:
            self._forked(peer, other)
        if stored is not None and run.upto <= at:
            return stored
        if twice and run.first <= at + 1:
            # a receipt is only given where the signature over every line of it is kept
            self._forked(peer, run.upto)
        if run.first > at + 1:
            return self._hold(peer, run, at + 1)
        if next(each for each in run.headers if each.seq > at).previous != head:
            self._forked(peer, at + 1)
        accepted = self._accept(peer, run, at)
        if accepted is None or stored is None:
            return accepted
        return replace(accepted, before=(*stored.before, replace(stored, before=())))

    @staticmethod
    def _other(session: Session, peer: Peer, run: Run) -> int:
        """Number of a message of the run that is on record as another one; 0 when there is none."""
        digests = {row.seq: row.digest for row in _ON_RECORD.all(session, _span(peer, run))}
        return next(
            (each.seq for each in run.headers if digests.get(each.seq, each.digest) != each.digest), 0
        )

    @staticmethod
    def _signed_twice(session: Session, peer: Peer, run: Run) -> bool:
        """Whether a signature is on record that ends where the run's does and begins elsewhere; no site changes a run that it signed."""
        seal = session.get(SealRow, (Direction.IN, peer.site, run.upto))
        return seal is not None and seal.first != run.first

    @staticmethod
    def _stored(session: Session, peer: Peer, run: Run, upto: int) -> Receipted | None:
        """The receipts that were given for messages of the run up to this one, the last with those before it; None where there is none."""
        rows = session.scalars(
            sa.select(ReceiptRow)
            .where(
                ReceiptRow.direction == Direction.IN,
                ReceiptRow.peer == peer.site,
                ReceiptRow.upto >= run.first,
                ReceiptRow.first <= upto,
            )
            .order_by(ReceiptRow.upto)
        ).all()
        given = [Receipted(row.receipt, Signature(row.signature, row.standing)) for row in rows]
        return replace(given[-1], before=tuple(given[:-1])) if given else None

    def _accept(self, peer: Peer, run: Run, at: int) -> Receipted | None:
        """Receipt and keep the messages of the run that follow number `at`."""
        # of a hundred messages most are between the same two organs
        fault = cache(lambda *said: self._fault(peer, *said))
        lines = tuple(
            Line(each.seq, each.digest, fault(each.sender, each.recipient, each.grade))
            for each in run.headers
            if each.seq > at
        )
        # whoever signed a run without a roll reads no receipt of a later format either
        blind = (
            None if run.format == SIGNED_LAST else Blind(self._own.suite, self._store.randomness.token(SEED))
        )
        receipt = Receipt(self._own.site, peer.site, rfc3339(self._store.clock.now()), lines, blind)
        signature = self._signing.sign(receipt.signed)
        step("exchange.receive.2-signed")
        with self._store.act(SYSTEM, VERB, f"exchange-peer:{peer.site}") as act:
            chain = locked_chain(act.session, Direction.IN, peer.site)
            # or another run was kept for these numbers: it is looked at anew
            moved = chain.seq != at or self._held_otherwise(act.session, peer, run)
            act.facts["moved"] = moved
            if not moved:
                self._keep(act, peer, run, receipt, signature)
                chain.seq, chain.head = run.upto, run.headers[-1].digest
                act.session.flush()
        if moved:
            return None
        step("exchange.receive.3-kept")
        self._follow(peer, run.upto)
        return Receipted(receipt.encoded, signature)

    def _keep(self, act: Act, peer: Peer, run: Run, receipt: Receipt, signature: Signature) -> None:
        session, now = act.session, self._store.clock.now()
        lines = {each.seq: each for each in receipt.lines}
        taken = [each for each in zip(run.headers, run.keys, strict=True) if each[0].seq in lines]
        early = {
            row.seq: row
            for row in session.scalars(
                sa.select(MessageRow).where(
                    MessageRow.direction == Direction.IN,
                    MessageRow.peer == peer.site,
                    MessageRow.seq.between(receipt.first, receipt.upto),
                )
            )
        }
        new = []
        for header, key in taken:
            error = lines[header.seq].error
            state = State.REFUSED if error else State.RECEIVED
            if (row := early.get(header.seq)) is not None:
                row.state, row.error, row.settled = state, error, now if error else None
            else:
                new.append(Entered(header, key, state, error=error, packed=run.packed.get(header.seq)))
        enter(session, Direction.IN, new, now)
        self._seal(session, peer, run)
        session.add(
            ReceiptRow(
                direction=Direction.IN,
                peer=peer.site,
                upto=receipt.upto,
                first=receipt.first,
                receipt=receipt.encoded,
                signature=signature.cms,
                standing=signature.standing,
                at=now,
            )
        )
        act.facts |= {
            "first": receipt.first,
            "upto": receipt.upto,
            "head": run.headers[-1].digest,
            "messages": [f"message:{header.id}" for header, _ in taken],
            "refused": [each.seq for each in receipt.lines if each.error],
        }
        digests = [part.digest for _, part in run.parts()]
        session.execute(
            sa.delete(AwaitedRow).where(AwaitedRow.peer == peer.site, AwaitedRow.digest.in_(digests))
        )

    def _seal(self, session: Session, peer: Peer, run: Run) -> None:
        """Keep the peer's signature, unless it is here."""
        if session.get(SealRow, (Direction.IN, peer.site, run.upto)) is not None:
            return
        session.add(
            SealRow(
                direction=Direction.IN,
                peer=peer.site,
                upto=run.upto,
                first=run.first,
                format=run.format,
                signature=run.signature.cms,
                standing=run.signature.standing,
                at=self._store.clock.now(),
            )
        )
        session.flush()

    def _held_otherwise(self, session: Session, peer: Peer, run: Run) -> bool:
        """Whether others than its messages, or another signature that ends with it, were put on record meanwhile."""
        return bool(self._other(session, peer, run)) or self._signed_twice(session, peer, run)

    def _hold(self, peer: Peer, run: Run, expected: int) -> Early | None:
        """Keep a run that is ahead of others, unless it is so far ahead that something else is wrong; None as of `_place`."""
        with self._store.read() as session:
            held = session.get(SealRow, (Direction.IN, peer.site, run.upto)) is not None
        if held or run.upto - expected > FURTHEST:
            return Early(expected)
        with self._store.act(SYSTEM, HOLD, f"exchange-peer:{peer.site}", expected=expected) as act:
            act.facts |= {"first": run.first, "upto": run.upto}
            locked_chain(act.session, Direction.IN, peer.site)
            moved = self._held_otherwise(act.session, peer, run)
            act.facts["moved"] = moved
            if moved:
                return None
            known = {row.seq for row in _ON_RECORD.all(act.session, _span(peer, run))}
            new = [
                Entered(header, key, State.EARLY, packed=run.packed.get(header.seq))
                for header, key in zip(run.headers, run.keys, strict=True)
                if header.seq not in known
            ]
            enter(act.session, Direction.IN, new, self._store.clock.now())
            self._seal(act.session, peer, run)
        return Early(expected)

    def _follow(self, peer: Peer, upto: int) -> None:
        """Accept the run that was kept because this one was missing, if there is one."""
        with self._store.read() as session:
            seal = session.scalars(
                sa.select(SealRow).where(
                    SealRow.direction == Direction.IN, SealRow.peer == peer.site, SealRow.first == upto + 1
                )
            ).first()
            run = None if seal is None else run_of(session, Direction.IN, peer.site, seal)
        if run is not None:
            self._place(peer, run)

    def _fault(self, peer: Peer, sender: str, recipient: str, grade: Level) -> str | None:
        """The code of what is wrong with a message that is nevertheless taken off the line; None when nothing is."""
        try:
            self._own.demand(recipient)
        except NotOurOrgan as error:
            return error.code
        if not self._peers.has(peer.site, sender):
            return UnknownRecipient.code
        if LEVELS.index(grade) > LEVELS.index(self._settings.clearance):
            return TooSecret.code
        return None

    def _forked(self, peer: Peer, seq: int) -> None:
        error = Forked(peer=peer.site, seq=seq)
        self._store.refuse(SYSTEM, SUSPECT, f"exchange-peer:{peer.site}", error)
        raise error
