"""A run: messages that follow each other and travel together, under one signature over its roll, the digests of their headers.

So a hundred messages cost one signature, one timestamp and one receipt. A run never changes once it is signed: what is sent
again is the same octets, parts aside. One that was signed before there were rolls stays as it is, under the header of its last.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange import frames
from exchange.errors import MalformedEnvelope, PartAltered
from exchange.folder import Folder
from exchange.frames import Frame, Tag
from exchange.header import Header, Part, chained, digest_of
from exchange.models import Direction, MessageRow, SealRow, State
from exchange.packs import Slot, slot, slots, small
from exchange.roll import SIGNED_LAST, SIGNED_ROLL, roll
from exchange.signed import Signature, Signing
from yinxin.act import SYSTEM
from yinxin.crypto.suite import Suite
from yinxin.steps import step
from yinxin.store import Sql, Store

VERB = "exchange.sign"
#: messages of a run, and the octets of parts after which no further one is added
MOST, ENOUGH = 100, 10 << 20
#: octets of small parts that are held in memory while a run comes in
HELD = 16 << 20
#: octets of parts that are read at a time where they lie together
STRETCH = 4 << 20
_DIGEST = 64

#: what a run is made of
_OF_RUN: tuple[Any, ...] = (
    MessageRow.seq,
    MessageRow.header,
    MessageRow.key,
    MessageRow.pack,
    MessageRow.pack_at,
)
_AS_SIGNED = Sql(
    sa.select(*_OF_RUN)
    .where(
        MessageRow.direction == sa.bindparam("direction"),
        MessageRow.peer == sa.bindparam("peer"),
        MessageRow.seq >= sa.bindparam("first"),
        MessageRow.seq <= sa.bindparam("upto"),
    )
    .order_by(MessageRow.seq)
)
_WAITING = Sql(
    sa.select(*_OF_RUN)
    .where(
        MessageRow.direction == Direction.OUT,
        MessageRow.peer == sa.bindparam("peer"),
        MessageRow.state == State.WAITING,
        MessageRow.seq > sa.bindparam("after"),
    )
    .order_by(MessageRow.seq)
    .limit(MOST)
)


@dataclass(frozen=True, slots=True)
class Run:
    """Headers in their order, the key of each, and the signature over what the format says (`signed`)."""

    headers: tuple[Header, ...]
    keys: tuple[bytes, ...]
    signature: Signature
    #: of one that is on record, where the parts of each message begin that lie in a pack, by its number
    packed: Mapping[int, Slot] = field(default_factory=dict, compare=False)
    format: int = SIGNED_ROLL

    @property
    def first(self) -> int:
        """Number of the first message."""
        return self.headers[0].seq

    @property
    def upto(self) -> int:
        """Number of the last."""
        return self.headers[-1].seq

    @property
    def signed(self) -> bytes:
        """What its signature is over: its roll, or in the first format its last header."""
        return self.headers[-1].encoded if self.format == SIGNED_LAST else roll_of(self.headers)

    def parts(self) -> Iterator[tuple[Header, Part]]:
        """Every part that the headers name."""
        for header in self.headers:
            for part in header.parts:
                yield header, part

    def placed(self) -> Iterator[tuple[Part, Slot | None]]:
        """Every part, and where in a pack it is, if it is in one."""
        for header in self.headers:
            yield from zip(header.parts, slots(header.parts, self.packed.get(header.seq)), strict=True)

    def pieces(self, folder: Folder, inline: int) -> Iterator[bytes]:
        """The run as it travels, with the parts of up to `inline` octets; none with less than 0."""
        for header, key in zip(self.headers, self.keys, strict=True):
            yield frames.frame(Tag.HEADER, header.encoded)
            yield frames.frame(Tag.KEY, key)
        if self.format != SIGNED_LAST:
            yield frames.frame(Tag.ROLL, self.signed)
        yield frames.frame(Tag.SIGNATURE, self.signature.cms)
        yield frames.frame(Tag.STANDING, self.signature.standing)
        for first, parts in self._stretches(inline):
            if first is None:
                (part,) = parts
                yield _part_head(part)
                with folder.open(part) as stream:
                    while data := stream.read(1 << 20):
                        yield data
                continue
            octets, at = folder.stretch(first, parts), 0
            for part in parts:
                yield _part_head(part)
                yield octets[at : at + part.size]
                at += part.size

    def _stretches(self, inline: int) -> Iterator[tuple[Slot | None, list[Part]]]:
        """The parts of up to `inline` octets, those together that lie together: a hundred messages are a few readings, not a hundred."""
        begin: Slot | None = None
        parts, held = list[Part](), 0
        for part, where in self.placed():
            if part.size > inline:
                continue
            follows = begin and where == Slot(begin.pack, begin.at + held) and held + part.size <= STRETCH
            if parts and not follows:
                yield begin, parts
                parts, held = [], 0
            begin = begin if parts else where
            parts.append(part)
            held += part.size
        if parts:
            yield begin, parts


class Reader:
    """Reads runs and receipts from frames, one after the other; a run's parts are handed on as they come."""

    def __init__(self, stream: BinaryIO) -> None:
        self._frames = frames.read(stream)
        self._ahead: Frame | None = None

    def ahead(self) -> Frame | None:
        """The next frame, not taken yet; None at the end."""
        if self._ahead is None:
            self._ahead = next(self._frames, None)
        return self._ahead

    def take(self, tag: Tag) -> bytes:
        """The next frame's octets; raises MalformedEnvelope when it is of another tag."""
        frame = self.ahead()
        if frame is None or frame.tag is not tag:
            raise MalformedEnvelope(reason=f"no frame {tag.name}")
        self._ahead = None
        return frame.data

    def run(self) -> Run:
        """A run without its parts, its form and chain held, its signature not yet. Raises MalformedEnvelope."""
        headers: list[Header] = []
        keys: list[bytes] = []
        while (frame := self.ahead()) is not None and frame.tag is Tag.HEADER:
            if len(headers) == MOST:
                raise MalformedEnvelope(reason=f"over {MOST} messages")
            header = Header.decode(self.take(Tag.HEADER))
            key = self.take(Tag.KEY)
            if digest_of(header.suite, key) != header.key:
                raise MalformedEnvelope(reason=f"the key of {header.seq}")
            headers.append(header)
            keys.append(key)
        if not headers:
            raise MalformedEnvelope(reason="no header")
        chained(headers)
        format_, ahead = SIGNED_LAST, self.ahead()
        if ahead is not None and ahead.tag is Tag.ROLL:
            if self.take(Tag.ROLL) != roll_of(headers):
                raise MalformedEnvelope(reason="the roll")
            format_ = SIGNED_ROLL
        signature = Signature(self.take(Tag.SIGNATURE), self.take(Tag.STANDING))
        return Run(tuple(headers), tuple(keys), signature, format=format_)

    def parts(self, run: Run, folder: Folder, kept: Collection[int] = ()) -> dict[str, bytes]:
        """Take the parts that came with a run; one that no header of it names is refused.

        What is small is held and given back by its digest, to be put on disk with the rest of the run; of messages whose number is
        in `kept` it is passed over. Anything else is in the folder when this returns. Raises MalformedEnvelope, PartAltered.
        """
        peer, held, size = run.headers[0].sender_site, dict[str, bytes](), 0
        named = {part.digest: (header, part) for header, part in run.parts()}
        while (frame := self.ahead()) is not None and frame.tag is Tag.PART:
            digest = b""
            while len(digest) < _DIGEST and (more := frame.stream.read(_DIGEST - len(digest))):
                digest += more
            found = named.get(digest.decode("ascii", "replace"))
            if found is None or frame.size != _DIGEST + found[1].size:
                raise MalformedEnvelope(reason="a part that no header names")
            header, part = found
            if header.seq in kept:
                pass
            elif small(header.parts) and size + part.size <= HELD:
                size += part.size
                held[part.digest] = _whole(frame.stream, header.suite, part)
            elif not folder.has(part):
                here = folder.received(peer, part.digest)
                folder.take(peer, header.suite, part, here, behind(frame.stream, here))
            self._ahead = None
        return held


def _part_head(part: Part) -> bytes:
    return frames.head(Tag.PART, _DIGEST + part.size) + part.digest.encode()


def roll_of(headers: Sequence[Header]) -> bytes:
    """The roll of headers that follow each other."""
    first = headers[0]
    return roll(first.sender_site, first.recipient_site, first.seq, [each.digest for each in headers])


def _whole(stream: BinaryIO, suite: Suite, part: Part) -> bytes:
    data = b"".join(iter(lambda: stream.read(1 << 20), b""))
    if digest_of(suite, data) != part.digest:
        raise PartAltered(digest=part.digest)
    return data


def behind(stream: BinaryIO, skipped: int) -> BinaryIO:
    """A stream behind its first octets, which had arrived before."""
    while skipped > 0:
        skipped -= len(stream.read(min(skipped, 1 << 20)))
    return stream


def next_run(store: Store, signing: Signing, peer: str, after: int = 0) -> Run | None:
    """The next run for a peer behind message `after`, signed now unless it was; None when nothing waits.

    One process at a time for a peer.
    """
    with store.read() as session:
        rows = _waiting(session, peer, after)
        if not rows:
            return None
        seal = session.scalars(
            sa.select(SealRow)
            .where(SealRow.direction == Direction.OUT, SealRow.peer == peer, SealRow.upto >= rows[0][1].seq)
            .order_by(SealRow.upto)
            .limit(1)
        ).one_or_none()
        if seal is not None:
            return run_of(session, Direction.OUT, peer, seal)
    headers = [header for _, header in rows]
    # 1. signed; 2. on record, before it leaves
    signature = signing.sign(roll_of(headers))
    step("exchange.sign.1-signed")
    first, upto = headers[0].seq, headers[-1].seq
    with store.act(SYSTEM, VERB, f"exchange-peer:{peer}", first=first, upto=upto) as act:
        act.facts["head"] = headers[-1].digest
        act.session.add(
            SealRow(
                direction=Direction.OUT,
                peer=peer,
                upto=upto,
                first=first,
                format=SIGNED_ROLL,
                signature=signature.cms,
                standing=signature.standing,
                at=store.clock.now(),
            )
        )
    step("exchange.sign.2-kept")
    return _run([row for row, _ in rows], headers, signature, SIGNED_ROLL)


def run_of(session: Session, direction: Direction, peer: str, seal: SealRow) -> Run:
    """A run that is on record."""
    rows = _AS_SIGNED.all(
        session, {"direction": direction, "peer": peer, "first": seal.first, "upto": seal.upto}
    )
    headers = [Header.decode(each.header) for each in rows]
    return _run(rows, headers, Signature(seal.signature, seal.standing), seal.format)


def signed_by(session: Session, here: str, seal: SealRow) -> bytes:
    """What a signature on record is over, by what is on record of its messages; `here` is this site. Raises NoResultFound."""
    if seal.format == SIGNED_LAST:
        return session.get_one(MessageRow, (seal.direction, seal.peer, seal.upto)).header
    digests = session.scalars(
        sa.select(MessageRow.digest)
        .where(
            MessageRow.direction == seal.direction,
            MessageRow.peer == seal.peer,
            MessageRow.seq.between(seal.first, seal.upto),
        )
        .order_by(MessageRow.seq)
    ).all()
    sites = (here, seal.peer) if seal.direction == Direction.OUT else (seal.peer, here)
    return roll(*sites, seal.first, digests)


def _run(rows: Sequence[Any], headers: Sequence[Header], signature: Signature, format_: int) -> Run:
    """The run of these rows of messages (`_OF_RUN`)."""
    places = ((each.seq, slot(each)) for each in rows)
    packed = {seq: place for seq, place in places if place is not None}
    return Run(tuple(headers), tuple(each.key for each in rows), signature, packed, format_)


def _waiting(session: Session, peer: str, after: int) -> list[tuple[Any, Header]]:
    """The first messages without a receipt, no more than a run has."""
    chosen: list[tuple[Any, Header]] = []
    octets = 0
    for row in _WAITING.all(session, {"peer": peer, "after": after}):
        header = Header.decode(row.header)
        chosen.append((row, header))
        octets += sum(each.size for each in header.parts)
        if octets >= ENOUGH:
            break
    return chosen


def waiting(session: Session, peer: str) -> int:
    """How many messages for a peer have no receipt."""
    query = sa.select(sa.func.count()).where(
        MessageRow.direction == Direction.OUT, MessageRow.peer == peer, MessageRow.state == State.WAITING
    )
    return session.scalar(query) or 0


def first_waiting(session: Session, peer: str) -> int | None:
    """Number of the first message for a peer that has no receipt."""
    query = sa.select(sa.func.min(MessageRow.seq)).where(
        MessageRow.direction == Direction.OUT, MessageRow.peer == peer, MessageRow.state == State.WAITING
    )
    return session.scalar(query)


def waited_for(session: Session) -> Sequence[str]:
    """The peers for which messages wait, by identifier."""
    query = sa.select(MessageRow.peer).where(
        MessageRow.direction == Direction.OUT, MessageRow.state == State.WAITING
    )
    return session.scalars(query.distinct().order_by(MessageRow.peer)).all()
