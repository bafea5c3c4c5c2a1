"""A run: messages that follow each other and travel together, under one signature over the header of the last.

The chain carries the signature down to the first, so that a hundred messages cost one signature, one timestamp and one
receipt. A run never changes once it is signed: what is sent again is the same octets, parts aside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange import frames
from exchange.errors import MalformedEnvelope
from exchange.folder import Folder
from exchange.frames import Frame, Tag
from exchange.header import Header, Part, chained, digest_of
from exchange.models import Direction, MessageRow, SealRow, State
from exchange.signed import Signature, Signing
from yinxin.act import SYSTEM
from yinxin.steps import step
from yinxin.store import Store

VERB = "exchange.sign"
#: messages of a run, and the octets of parts after which no further one is added
MOST, ENOUGH = 100, 4 << 20
_DIGEST = 64


@dataclass(frozen=True, slots=True)
class Run:
    """Headers in their order, the key of each, and the signature over the last."""

    headers: tuple[Header, ...]
    keys: tuple[bytes, ...]
    signature: Signature

    @property
    def first(self) -> int:
        """Number of the first message."""
        return self.headers[0].seq

    @property
    def upto(self) -> int:
        """Number of the last."""
        return self.headers[-1].seq

    def parts(self) -> Iterator[tuple[Header, Part]]:
        """Every part that the headers name."""
        for header in self.headers:
            for part in header.parts:
                yield header, part

    def pieces(self, folder: Folder, inline: int) -> Iterator[bytes]:
        """The run as it travels, with the parts of up to `inline` octets; none with less than 0."""
        for header, key in zip(self.headers, self.keys, strict=True):
            yield frames.frame(Tag.HEADER, header.encoded)
            yield frames.frame(Tag.KEY, key)
        yield frames.frame(Tag.SIGNATURE, self.signature.cms)
        yield frames.frame(Tag.STANDING, self.signature.standing)
        for _, part in self.parts():
            if part.size <= inline:
                yield frames.head(Tag.PART, _DIGEST + part.size) + part.digest.encode()
                with folder.open(part) as stream:
                    while data := stream.read(1 << 20):
                        yield data


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
        return Run(tuple(headers), tuple(keys), Signature(self.take(Tag.SIGNATURE), self.take(Tag.STANDING)))

    def parts(self, run: Run, folder: Folder) -> None:
        """Take the parts that came with a run; one that no header of it names is refused. Raises MalformedEnvelope, PartAltered."""
        peer = run.headers[0].sender_site
        named = {part.digest: (header.suite, part) for header, part in run.parts()}
        while (frame := self.ahead()) is not None and frame.tag is Tag.PART:
            digest = b""
            while len(digest) < _DIGEST and (more := frame.stream.read(_DIGEST - len(digest))):
                digest += more
            found = named.get(digest.decode("ascii", "replace"))
            if found is None or frame.size != _DIGEST + found[1].size:
                raise MalformedEnvelope(reason="a part that no header names")
            suite, part = found
            if not folder.has(part):
                here = folder.received(peer, part.digest)
                folder.take(peer, suite, part, here, behind(frame.stream, here))
            self._ahead = None


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
            .where(SealRow.direction == Direction.OUT, SealRow.peer == peer, SealRow.upto >= rows[0].seq)
            .order_by(SealRow.upto)
            .limit(1)
        ).one_or_none()
        if seal is not None:
            return run_of(session, Direction.OUT, peer, seal)
        headers = [Header.decode(each.header) for each in rows]
        keys = [each.key for each in rows]
    # 1. signed; 2. on record, before it leaves
    signature = signing.sign(headers[-1].encoded)
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
                signature=signature.cms,
                standing=signature.standing,
                at=store.clock.now(),
            )
        )
    step("exchange.sign.2-kept")
    return Run(tuple(headers), tuple(keys), signature)


def run_of(session: Session, direction: Direction, peer: str, seal: SealRow) -> Run:
    """A run that is on record."""
    rows = session.scalars(
        sa.select(MessageRow)
        .where(
            MessageRow.direction == direction,
            MessageRow.peer == peer,
            MessageRow.seq.between(seal.first, seal.upto),
        )
        .order_by(MessageRow.seq)
    ).all()
    return Run(
        tuple(Header.decode(each.header) for each in rows),
        tuple(each.key for each in rows),
        Signature(seal.signature, seal.standing),
    )


def _waiting(session: Session, peer: str, after: int) -> list[MessageRow]:
    """The first messages without a receipt, no more than a run has."""
    query = (
        sa.select(MessageRow)
        .where(
            MessageRow.direction == Direction.OUT,
            MessageRow.peer == peer,
            MessageRow.state == State.WAITING,
            MessageRow.seq > after,
        )
        .order_by(MessageRow.seq)
        .limit(MOST)
    )
    chosen: list[MessageRow] = []
    octets = 0
    for row in session.scalars(query):
        chosen.append(row)
        octets += sum(each.size for each in Header.decode(row.header).parts)
        if octets >= ENOUGH:
            break
    return chosen


def waiting(session: Session, peer: str) -> int:
    """How many messages for a peer have no receipt."""
    query = sa.select(sa.func.count()).where(
        MessageRow.direction == Direction.OUT, MessageRow.peer == peer, MessageRow.state == State.WAITING
    )
    return session.scalar(query) or 0


def waited_for(session: Session) -> Sequence[str]:
    """The peers for which messages wait, by identifier."""
    query = sa.select(MessageRow.peer).where(
        MessageRow.direction == Direction.OUT, MessageRow.state == State.WAITING
    )
    return session.scalars(query.distinct().order_by(MessageRow.peer)).all()
