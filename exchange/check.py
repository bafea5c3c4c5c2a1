"""Checking: all that is stored of the exchange is held against what was signed, octet by octet, and what differs is named.

Nobody is called and nothing is opened. Headers are held to the chain, the chain to the signatures, messages to receipts, parts
on disk to their digests; cards, directories and what peers said when reconciling to the signatures on them.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import NoResultFound

from exchange.context import Context
from exchange.errors import MalformedEnvelope, PartAltered
from exchange.frames import Tag
from exchange.header import Header, digest_of
from exchange.introduce import read_card
from exchange.models import (
    ChainRow,
    Direction,
    MessageRow,
    PartRow,
    PeerRow,
    PublishedRow,
    ReceiptRow,
    ReconciliationRow,
    SealRow,
    State,
)
from exchange.packs import slot, slots
from exchange.receipt import Receipt
from exchange.runs import Reader, signed_by
from exchange.signed import Standing
from yinxin.act import Actor
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList, OcspResponse
from yinxin.errors import YinxinError
from yinxin.evidence.exchanged import SignedPart, of_site, proved
from yinxin.evidence.trust import Trust
from yinxin.text import Text

VERB = "exchange.check"
#: what can be at fault, in words
FAULTS = {
    "header": Text("消息头已被改动", "the header of the message was changed"),
    "record": Text("消息记录与消息头不符", "the record of the message differs from its header"),
    "chain": Text(
        "消息不接续前一条，或有缺号", "the message does not follow the one before it, or one is missing"
    ),
    "key": Text("加密的消息密钥已被改动", "the encrypted key of the message was changed"),
    "part": Text("消息的一部分缺失或已被改动", "a part of the message is missing or was changed"),
    "signature": Text("发送站点的签名不成立", "the sending site's signature does not hold"),
    "receipt": Text(
        "回执缺失、已被改动或与消息不符", "the receipt is missing, was changed, or differs from the message"
    ),
    "head": Text("收发进度与消息记录不符", "how far the direction has come differs from its messages"),
    "card": Text("站点名片已被改动", "the site's card was changed"),
    "directory": Text("交换名录已被改动", "the directory was changed"),
    "statement": Text("对账声明已被改动", "the statement of a reconciliation was changed"),
}
#: faults that stand in the record; all of them are told
_RECORDED = 100
#: messages that are read at a time
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """What is at fault (`FAULTS`): of which peer and direction, and its number, digest or identifier."""

    what: str
    peer: str
    direction: str
    place: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what was found."""

    messages: int
    parts: int
    signatures: int
    faults: tuple[Fault, ...]


def check(
    ctx: Context, anchors: Sequence[Certificate], actor: Actor, decision: dict[str, Any] | None = None
) -> Checked:
    """Check everything, on record; `anchors` are the roots that this site's own signatures lead to.

    Raises ExchangeOff, and what the store raises.
    """
    look = _Look(ctx, Trust(tuple(anchors), ()))
    faults = tuple(dict.fromkeys(look.everything()))
    ctx.store.note(
        actor,
        VERB,
        "exchange",
        decision=decision,
        messages=look.messages,
        parts=look.parts,
        signatures=look.signatures,
        found=len(faults),
        faults=[
            " ".join(filter(None, (each.what, each.peer, each.direction, each.place)))
            for each in faults[:_RECORDED]
        ],
    )
    return Checked(look.messages, look.parts, look.signatures, faults)


class _Look:
    """One look at everything."""

    def __init__(self, ctx: Context, own: Trust) -> None:
        self._ctx = ctx
        self._store = ctx.store
        self._own = own
        self._sound: set[bytes] = set()
        self.messages = self.parts = self.signatures = 0

    def everything(self) -> Iterator[Fault]:
        with self._store.read() as session:
            peers = {row.site: row.card for row in session.scalars(sa.select(PeerRow).order_by(PeerRow.site))}
        for site, card in peers.items():
            trust = self._trust(card)
            if trust is None or not self._framed(card, Tag.CARD, trust, site):
                yield Fault("card", site, "", site)
                continue
            for direction in Direction:
                yield from self._direction(site, direction, trust)
            yield from self._statements(site, trust)
        yield from self._published()

    def _trust(self, card: bytes) -> Trust | None:
        """The roots on a peer's card; None when the site did not sign it so."""
        try:
            return Trust(read_card(card).anchors, ())
        except YinxinError:
            return None

    # --- messages of a direction ---

    def _direction(self, peer: str, direction: Direction, theirs: Trust) -> Iterator[Fault]:
        here = self._ctx.own.site
        sender, receiver = (here, peer) if direction is Direction.OUT else (peer, here)
        trusts = {here: self._own, peer: theirs}
        before, last = (0, ""), (0, "")
        for row, parts in self._rows(peer, direction):
            self.messages += 1
            place = str(row.seq)
            header = _header(row)
            if header is None:
                yield Fault("header", peer, direction, place)
            else:
                yield from self._message(row, header, parts)
            follows = row.seq == before[0] + 1
            if (follows and header is not None and header.previous != before[1]) or not (
                follows or row.state == State.EARLY
            ):
                yield Fault("chain", peer, direction, place)
            before = (row.seq, row.digest)
            last = last if row.state == State.EARLY else before
        yield from self._head(peer, direction, last)
        yield from self._seals(peer, direction, sender, trusts[sender])
        yield from self._receipts(peer, direction, receiver, trusts[receiver])

    def _rows(self, peer: str, direction: Direction) -> Iterator[tuple[MessageRow, list[PartRow]]]:
        """Messages in their order with their parts, a page at a time."""
        after = 0
        while True:
            with self._store.read() as session:
                mine = {"direction": direction, "peer": peer}
                messages = session.scalars(
                    sa.select(MessageRow)
                    .filter_by(**mine)
                    .where(MessageRow.seq > after)
                    .order_by(MessageRow.seq)
                    .limit(_PAGE)
                ).all()
                if not messages:
                    return
                upto = messages[-1].seq
                parts: dict[int, list[PartRow]] = {}
                for part in session.scalars(
                    sa.select(PartRow)
                    .filter_by(**mine)
                    .where(PartRow.seq > after, PartRow.seq <= upto)
                    .order_by(PartRow.seq, PartRow.number)
                ):
                    parts.setdefault(part.seq, []).append(part)
                session.expunge_all()
            yield from ((each, parts.get(each.seq, [])) for each in messages)
            after = upto

    def _message(self, row: MessageRow, header: Header, parts: Sequence[PartRow]) -> Iterator[Fault]:
        place = str(row.seq)
        peer = header.recipient_site if row.direction == Direction.OUT else header.sender_site
        said = (peer, header.seq, header.id, header.sender, header.recipient)
        first = slot(row)
        # parts that lie in a pack have no rows of their own
        own = header.parts if first is None else ()
        told = (header.kind, header.object, header.grade, [(each.digest, each.size) for each in own])
        if said != (row.peer, row.seq, row.id, row.sender, row.recipient) or told != (
            row.kind,
            row.object,
            row.grade,
            [(each.digest, each.size) for each in parts],
        ):
            yield Fault("record", row.peer, row.direction, place)
        if digest_of(header.suite, row.key) != header.key:
            yield Fault("key", row.peer, row.direction, place)
        for number, (part, where) in enumerate(zip(header.parts, slots(header.parts, first), strict=True)):
            self.parts += 1
            try:
                self._ctx.folder.check(header.suite, part, where)
            except PartAltered:
                yield Fault("part", row.peer, row.direction, f"{place}/{number}")

    def _head(self, peer: str, direction: Direction, last: tuple[int, str]) -> Iterator[Fault]:
        with self._store.read() as session:
            chain = session.get(ChainRow, (direction, peer))
            stands = (0, "") if chain is None else (chain.seq, chain.head)
        if stands != last:
            yield Fault("head", peer, direction, str(stands[0]))

    # --- what was signed ---

    def _seals(self, peer: str, direction: Direction, site: str, trust: Trust) -> Iterator[Fault]:
        """Every signature holds, and of what was sent or taken none is without one."""
        reached = 0
        for upto in self._numbers(SealRow, peer, direction):
            with self._store.read() as session:
                seal = session.get_one(SealRow, (direction, peer, upto))
                part, first = SignedPart(seal.signature, seal.standing), seal.first
                try:
                    signed = signed_by(session, self._ctx.own.site, seal)
                except NoResultFound:
                    signed = b""
            if first > reached + 1:
                yield Fault("signature", peer, direction, str(reached + 1))
            if not self._holds(part, signed, trust, site):
                yield Fault("signature", peer, direction, str(upto))
            reached = upto
        with self._store.read() as session:
            settled = session.scalar(
                sa.select(sa.func.max(MessageRow.seq)).where(
                    MessageRow.direction == direction,
                    MessageRow.peer == peer,
                    MessageRow.state != State.WAITING,
                )
            )
        if (settled or 0) > reached:
            yield Fault("signature", peer, direction, str(reached + 1))

    def _receipts(self, peer: str, direction: Direction, site: str, trust: Trust) -> Iterator[Fault]:
        """Every receipt holds and says what is on record of its messages; none that is settled is without one."""
        open_ = {State.WAITING, State.EARLY}
        refused: dict[int, bool] = {}
        for upto in self._numbers(ReceiptRow, peer, direction):
            with self._store.read() as session:
                row = session.get_one(ReceiptRow, (direction, peer, upto))
                octets, part, first = row.receipt, SignedPart(row.signature, row.standing), row.first
                ours = {
                    each.seq: each.digest for each in session.execute(_span(direction, peer, first, upto))
                }
            try:
                receipt = Receipt.decode(octets)
            except MalformedEnvelope:
                yield Fault("receipt", peer, direction, str(upto))
                continue
            parties = (receipt.site, {receipt.peer, receipt.site}, receipt.first, receipt.upto)
            fits = parties == (site, {peer, self._ctx.own.site}, first, upto)
            if not fits or not self._holds(part, receipt.signed, trust, site):
                yield Fault("receipt", peer, direction, str(upto))
                continue
            for line in receipt.lines:
                refused[line.seq] = line.error is not None
                if ours.get(line.seq) != line.digest:
                    yield Fault("receipt", peer, direction, str(line.seq))
        with self._store.read() as session:
            states = sa.select(MessageRow.seq, MessageRow.state).where(
                MessageRow.direction == direction, MessageRow.peer == peer
            )
            found = session.execute(states.order_by(MessageRow.seq)).all()
        for seq, state in found:
            if state not in open_ and refused.get(seq) is not (state == State.REFUSED):
                yield Fault("receipt", peer, direction, str(seq))

    def _numbers(self, table: type[SealRow | ReceiptRow], peer: str, direction: Direction) -> Sequence[int]:
        with self._store.read() as session:
            query = sa.select(table.upto).where(table.direction == direction, table.peer == peer)
            return session.scalars(query.order_by(table.upto)).all()

    def _holds(self, part: SignedPart, content: bytes, trust: Trust, site: str) -> bool:
        self.signatures += 1
        try:
            of_site(proved(part, content, trust), site, site)
            if part.standing not in self._sound:
                sound(Standing.decode(part.standing), trust)
                self._sound.add(part.standing)
        except (YinxinError, ValueError):
            return False
        return True

    # --- what sites say of themselves and of others ---

    def _statements(self, peer: str, trust: Trust) -> Iterator[Fault]:
        with self._store.read() as session:
            rows = session.scalars(
                sa.select(ReconciliationRow.id)
                .where(ReconciliationRow.peer == peer)
                .order_by(ReconciliationRow.id)
            ).all()
        for each in rows:
            with self._store.read() as session:
                octets = session.get_one(ReconciliationRow, each).theirs
            if not self._framed(octets, Tag.STATEMENT, trust, peer):
                yield Fault("statement", peer, "", each)

    def _published(self) -> Iterator[Fault]:
        with self._store.read() as session:
            rows = session.execute(
                sa.select(PublishedRow.kind, PublishedRow.issuer, PublishedRow.version).order_by(
                    PublishedRow.issuer, PublishedRow.kind, PublishedRow.version
                )
            ).all()
        for kind, issuer, version in rows:
            with self._store.read() as session:
                octets = session.get_one(PublishedRow, (kind, issuer, version)).signed
                peer = session.get(PeerRow, issuer)
                trust = self._own if peer is None else self._trust(peer.card)
            tag = Tag.CARD if kind == "card" else Tag.DIRECTORY
            if trust is not None and not self._framed(octets, tag, trust, issuer):
                yield Fault("card" if kind == "card" else "directory", issuer, "", str(version))

    def _framed(self, octets: bytes, tag: Tag, trust: Trust, site: str) -> bool:
        try:
            reader = Reader(io.BytesIO(octets))
            content = reader.take(tag)
            part = SignedPart(reader.take(Tag.SIGNATURE), reader.take(Tag.STANDING))
            if reader.ahead() is not None:
                return False
        except MalformedEnvelope:
            return False
        return self._holds(part, content, trust, site)


def sound(standing: Standing, trust: Trust) -> None:
    """That nothing a signature came with was changed, what was not needed to prove it neither; raises MalformedEnvelope, or of what it reads.

    Each certificate is a root of `trust` or signed by another one, each statement about revocation by one of them.
    """
    certificates = [Certificate.load(each) for each in standing.certificates]
    known = {*certificates, *trust.roots}
    signed: list[Callable[[Certificate], object]] = [
        *(each.issued_by for each in certificates if each not in trust.roots),
        *(CertificateList.load(each).verify for each in standing.crls),
        *(OcspResponse.load(each).verify_signature for each in standing.ocsps),
    ]
    if not all(any(_by(verify, each) for each in known) for verify in signed):
        raise MalformedEnvelope(reason="standing")


def _by(verify: Callable[[Certificate], object], signer: Certificate) -> bool:
    try:
        verify(signer)
    except YinxinError:
        return False
    return True


def _header(row: MessageRow) -> Header | None:
    """The header as it was numbered; None when its octets are others."""
    try:
        header = Header.decode(row.header)
    except MalformedEnvelope:
        return None
    return header if header.digest == row.digest else None


def _span(direction: Direction, peer: str, first: int, upto: int) -> sa.Select[int, str]:
    return sa.select(MessageRow.seq, MessageRow.digest).where(
        MessageRow.direction == direction, MessageRow.peer == peer, MessageRow.seq.between(first, upto)
    )
