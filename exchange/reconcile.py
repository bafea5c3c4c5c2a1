"""Reconciling: two sites tell each other, signed, how far each direction has come and what its last header's digest is.

What is on its way is no difference. A head that is another one, or fewer messages than a receipt was given for, is: then
one of the two has lost or changed something, and people have to look. What a peer has lost it is sent again (`exchange.again`).
"""

import io
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from exchange import frames
from exchange.again import Again
from exchange.context import Context
from exchange.errors import NotOurs
from exchange.frames import Tag
from exchange.line import Line
from exchange.models import ChainRow, Direction, MessageRow, ReceiptRow, ReconciliationRow, State
from exchange.peers import Peer
from exchange.receipt import Receipt
from exchange.runs import Reader
from exchange.signed import Signature, believed
from exchange.statement import Reach, Statement
from yinxin.act import SYSTEM
from yinxin.clock import parse_rfc3339, rfc3339
from yinxin.steps import step
from yinxin.text import Text

VERB, ALARM = "exchange.reconcile", "exchange.find-difference"
#: the peer was restored to before it took what it has receipted
LOST = "receipted-lost"
#: this site was
BEHIND = "received-lost"
#: what can differ, in words
DIFFERENCES = {
    "sent-differs": Text("对方收到的消息与本站点发出的不同", "the peer has other messages than were sent"),
    "sent-ahead": Text("对方收到的消息多于本站点发出的", "the peer has more messages than were sent"),
    LOST: Text("对方缺少已给出回执的消息", "the peer lacks messages that it gave a receipt for"),
    BEHIND: Text("本站点缺少已给出回执的消息", "this site lacks messages that it gave a receipt for"),
    "received-differs": Text(
        "本站点收到的消息与对方发出的不同", "this site has other messages than the peer sent"
    ),
    "received-ahead": Text(
        "本站点收到的消息多于对方发出的", "this site has more messages than the peer sent"
    ),
}


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of reconciling with a peer: how far both directions have come here, and what differs, if anything."""

    peer: str
    at: datetime
    sent: Reach
    received: Reach
    difference: str | None


class Reconciling:
    """The verb of reconciling."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._store = ctx.store
        self._own = ctx.own
        self.again = Again(ctx.store)

    def ask(self, peer: Peer) -> Reconciled:
        """Reconcile with a peer now; raises PeerUnreachable, NotSignedByPeer and its kin."""
        with Line(peer, self._ctx.http) as line:
            answer = line.ask("POST", "/reconciliations", content=self.statement(peer))
        return self.compare(peer, answer.content)

    def answer(self, peer: Peer, octets: bytes) -> bytes:
        """A peer's statement held against what is here, and ours for the peer to do the same; raises as `compare`."""
        self.compare(peer, octets)
        return self.statement(peer)

    def statement(self, peer: Peer) -> bytes:
        """What this site says, signed, as it travels."""
        at = rfc3339(self._store.clock.now())
        said = Statement(self._own.site, peer.site, at, *self.reach(peer.site)).encoded
        return _file(said, self._ctx.signing.sign(said))

    def compare(self, peer: Peer, octets: bytes) -> Reconciled:
        """Hold a peer's statement against what is here, on record; raises MalformedEnvelope, NotOurs, NotSignedByPeer."""
        return self.take(peer, Reader(io.BytesIO(octets)))

    def take(self, peer: Peer, reader: Reader) -> Reconciled:
        """As `compare`, of the next frames of a file that was carried."""
        encoded = reader.take(Tag.STATEMENT)
        signature = Signature(reader.take(Tag.SIGNATURE), reader.take(Tag.STANDING))
        said = Statement.decode(encoded)
        if said.site != peer.site or said.peer != self._own.site:
            raise NotOurs(site=said.peer)
        believed(signature, encoded, peer.card)
        sent, received = self.reach(peer.site)
        difference = self._difference(peer.site, sent, received, said)
        step("exchange.reconcile.1-compared")
        verb, now = (ALARM if difference else VERB), self._store.clock.now()
        with self._store.act(SYSTEM, verb, f"exchange-peer:{peer.site}") as act:
            act.facts |= {"sent": sent.seq, "received": received.seq}
            act.facts |= {"difference": difference} if difference else {}
            row = ReconciliationRow(id=act.id, peer=peer.site, at=now, theirs=_file(encoded, signature))
            row.difference = difference
            act.session.add(row)
        if difference == LOST:  # on record, and signed by the peer
            self.again.lost(peer.site, said.received.seq)
        return Reconciled(peer.site, now, sent, received, difference)

    def reach(self, peer: str) -> tuple[Reach, Reach]:
        """How far sending and receiving have come here."""
        with self._store.read() as session:
            chains = {
                row.direction: (row.seq, row.head)
                for row in session.scalars(sa.select(ChainRow).where(ChainRow.peer == peer))
            }
            waiting = session.scalar(
                sa.select(sa.func.min(MessageRow.seq)).where(
                    MessageRow.direction == Direction.OUT,
                    MessageRow.peer == peer,
                    MessageRow.state == State.WAITING,
                )
            )
        sent, received = chains.get(Direction.OUT, (0, "")), chains.get(Direction.IN, (0, ""))
        return Reach(*sent, sent[0] if waiting is None else waiting - 1), Reach(*received, received[0])

    def latest(self) -> tuple[Reconciled, ...]:
        """The last word with each peer that there was one with."""
        newest = sa.select(sa.func.max(ReconciliationRow.id)).group_by(ReconciliationRow.peer)
        with self._store.read() as session:
            rows = session.scalars(
                sa.select(ReconciliationRow)
                .where(ReconciliationRow.id.in_(newest))
                .order_by(ReconciliationRow.peer)
            ).all()
            found = [(row.peer, row.at, row.difference) for row in rows]
        return tuple(Reconciled(peer, at, *self.reach(peer), difference) for peer, at, difference in found)

    def _difference(self, peer: str, sent: Reach, received: Reach, said: Statement) -> str | None:
        ends_alike = received.seq == said.sent.seq
        found = {
            "sent-ahead": said.received.seq > sent.seq,
            "sent-differs": said.received.head != self._digest(peer, said.received.seq),
            LOST: said.received.seq < sent.receipted and not self._before(peer, said),
            BEHIND: received.seq < said.sent.receipted,
            "received-ahead": received.seq > said.sent.seq,
            "received-differs": ends_alike and received.head != said.sent.head,
        }
        return next((name for name, so in found.items() if so), None)

    def _before(self, peer: str, said: Statement) -> bool:
        """Whether the peer said so before it gave the receipt: then it had not lost anything. Both times are by its clock."""
        receipt = (
            sa.select(ReceiptRow.receipt)
            .where(
                ReceiptRow.direction == Direction.OUT,
                ReceiptRow.peer == peer,
                ReceiptRow.upto > said.received.seq,
            )
            .order_by(ReceiptRow.upto)
            .limit(1)
        )
        with self._store.read() as session:
            given = session.scalar(receipt)
        return given is not None and parse_rfc3339(said.at) < parse_rfc3339(Receipt.decode(given).at)

    def _digest(self, peer: str, seq: int) -> str:
        with self._store.read() as session:
            row = session.get(MessageRow, (Direction.OUT, peer, seq)) if seq else None
            return row.digest if row else ""


def _file(said: bytes, signature: Signature) -> bytes:
    return frames.joined(
        [(Tag.STATEMENT, said), (Tag.SIGNATURE, signature.cms), (Tag.STANDING, signature.standing)]
    )
