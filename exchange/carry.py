"""Carrying by hand: what waits for a peer, our receipts for it and our word for reconciling go into a file; its file comes in.

A file may be lost, come twice or late: everything in it is numbered and signed as on a line. Nobody but the recipient's
organ can open what it says.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from exchange import frames
from exchange.confirm import confirm
from exchange.context import Context
from exchange.courier import read_receipt, receipt_frames
from exchange.errors import MalformedEnvelope
from exchange.frames import Tag
from exchange.header import Header
from exchange.models import Direction, ReceiptRow
from exchange.peers import Peer
from exchange.receipt import Receipt
from exchange.receive import Early, Lacking, Receipted, Receiving
from exchange.reconcile import Reconciling
from exchange.runs import Reader, next_run
from exchange.signed import Signature
from exchange.statement import Statement
from yinxin.files import sync_folder

_WHOLE = 1 << 40
#: receipts that a file brings: those before them a peer has long had
_RECEIPTS = 200


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file held: messages, runs that wait for others, messages of ours that its receipts settled, and what differs."""

    messages: int = 0
    early: int = 0
    settled: int = 0
    difference: str | None = None


class Carrying:
    """The verbs of carrying."""

    def __init__(self, ctx: Context, receiving: Receiving, reconciling: Reconciling) -> None:
        self._ctx = ctx
        self._store = ctx.store
        self._receiving = receiving
        self._reconciling = reconciling

    def out(self, peer: Peer, file: Path) -> int:
        """Write what travels to a peer, on disk when this returns; how many messages. Raises OSError, and as `Signing.sign`."""
        count = 0
        half = file.with_name(f".{file.name}.part")
        try:
            with half.open("wb") as stream:
                stream.write(frames.MAGIC)
                for messages, pieces in self._runs(peer):
                    count += messages
                    stream.writelines(pieces)
                stream.writelines(self._receipts(peer))
                stream.write(self._reconciling.statement(peer).removeprefix(frames.MAGIC))
                stream.flush()
                os.fsync(stream.fileno())
            half.replace(file)
        finally:
            half.unlink(missing_ok=True)
        sync_folder(file.absolute().parent)
        return count

    def take(self, stream: BinaryIO) -> Carried:
        """Take in a file that a peer wrote; raises UnknownPeer, and as `Receiving.receive` and `confirm`."""
        reader = Reader(stream)
        messages = early = settled = 0
        difference = None
        while (frame := reader.ahead()) is not None:
            if frame.tag is Tag.HEADER:
                taken, held = self._run(reader, frame.data)
                messages, early = messages + taken, early + held
            elif frame.tag is Tag.RECEIPT:
                peer = self._ctx.peers.get(Receipt.decode(frame.data).site)
                settled += confirm(self._ctx, peer, read_receipt(reader))
            elif frame.tag is Tag.STATEMENT:
                peer = self._ctx.peers.get(Statement.decode(frame.data).site)
                difference = self._reconciling.take(peer, reader).difference
            else:
                raise MalformedEnvelope(reason=f"a frame {frame.tag.name} out of place")
        return Carried(messages, early, settled, difference)

    def _run(self, reader: Reader, first: bytes) -> tuple[int, int]:
        answer = self._receiving.receive(self._ctx.peers.get(Header.decode(first).sender_site), reader)
        if isinstance(answer, Lacking):
            raise MalformedEnvelope(reason=f"{len(answer.parts)} parts are missing")
        return (0, 1) if isinstance(answer, Early) else (len(Receipt.decode(answer.receipt).lines), 0)

    def _runs(self, peer: Peer) -> Iterator[tuple[int, Iterator[bytes]]]:
        again = self._reconciling.again
        while (lost := again.run(peer.site)) is not None:
            yield len(lost.headers), lost.pieces(self._ctx.folder, _WHOLE)
            again.handed(peer.site, lost)
        after = 0
        while (run := next_run(self._store, self._ctx.signing, peer.site, after)) is not None:
            yield len(run.headers), run.pieces(self._ctx.folder, _WHOLE)
            after = run.upto

    def _receipts(self, peer: Peer) -> Iterator[bytes]:
        query = (
            sa.select(ReceiptRow)
            .where(ReceiptRow.direction == Direction.IN, ReceiptRow.peer == peer.site)
            .order_by(ReceiptRow.upto.desc())
            .limit(_RECEIPTS)
        )
        with self._store.read() as session:
            rows = session.scalars(query).all()
            for row in reversed(rows):
                yield receipt_frames(Receipted(row.receipt, Signature(row.signature, row.standing)))
