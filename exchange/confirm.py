"""Confirming: a peer's signed receipt ends the sending of a run, once, and its applications hear of it."""

from collections.abc import Mapping
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange.context import Context
from exchange.errors import Behind, Forked, MalformedEnvelope, NotOurs
from exchange.models import Direction, MessageRow, ReceiptRow, SealRow, State
from exchange.peers import Peer
from exchange.receipt import Receipt
from exchange.roll import SIGNED_ROLL
from exchange.signed import Signature, believed
from yinxin.act import SYSTEM
from yinxin.exchange import Answered
from yinxin.steps import step
from yinxin.store import Sql, Store

VERB, SUSPECT = "exchange.confirm", "exchange.suspect-peer"
_MESSAGE = cast("sa.Table", MessageRow.__table__)
_OPEN = (
    _MESSAGE.c.direction == Direction.OUT.value,
    _MESSAGE.c.peer == sa.bindparam("peer"),
    _MESSAGE.c.seq >= sa.bindparam("first"),
    _MESSAGE.c.seq <= sa.bindparam("upto"),
)
_STILL = _MESSAGE.c.state == State.WAITING.value
#: with what an application is told of each; locked until they are settled
_WAITING = Sql(
    sa.select(
        _MESSAGE.c.seq,
        _MESSAGE.c.id,
        _MESSAGE.c.reference,
        _MESSAGE.c.recipient,
        _MESSAGE.c.kind,
        _MESSAGE.c.object,
    )
    .where(*_OPEN, _STILL)
    .order_by(_MESSAGE.c.seq)
    .with_for_update()
)
_SETTLE = Sql(
    sa.update(_MESSAGE)
    .where(*_OPEN, _STILL)
    .values(state=sa.bindparam("to"), error=sa.bindparam("because"), settled=sa.bindparam("now"))
)


def confirm(ctx: Context, peer: Peer, given: tuple[bytes, Signature]) -> int:
    """Take a receipt; how many messages it settles. A receipt taken before settles none.

    1. It is the peer's, for this site, and names what was sent. 2. Messages and receipt are settled in one transaction.
    Raises MalformedEnvelope, NotOurs, NotSignedByPeer, Behind, Forked.
    """
    (encoded, signature), store = given, ctx.store
    receipt = Receipt.decode(encoded)
    if receipt.peer != ctx.own.site or receipt.site != peer.site:
        raise NotOurs(site=receipt.peer)
    subject = f"exchange-peer:{peer.site}"
    with store.refusing(SYSTEM, VERB, subject):
        believed(signature, receipt.signed, peer.card)
    step("exchange.confirm.1-verified")
    said = {each.seq: each for each in receipt.lines}
    if not _open(store, peer, receipt, said_of(receipt)):
        return 0
    with store.act(SYSTEM, VERB, subject, first=receipt.first, upto=receipt.upto) as act:
        now, span = store.clock.now(), {"peer": peer.site, "first": receipt.first, "upto": receipt.upto}
        rows = _WAITING.all(act.session, span)
        refused = {row.seq: error for row in rows if (error := said[row.seq].error) is not None}
        for seq, error in refused.items():
            one = {"peer": peer.site, "first": seq, "upto": seq}
            _SETTLE.run(act.session, one | {"to": State.REFUSED.value, "because": error, "now": now})
        # the rest, which is all of them as a rule, by one statement
        _SETTLE.run(act.session, span | {"to": State.RECEIVED.value, "because": None, "now": now})
        kept = _kept(act.session, peer, receipt)
        if kept and rows:
            raise Forked(peer=peer.site, seq=receipt.upto)
        if not kept:
            act.session.add(
                ReceiptRow(
                    direction=Direction.OUT,
                    peer=peer.site,
                    upto=receipt.upto,
                    first=receipt.first,
                    receipt=encoded,
                    signature=signature.cms,
                    standing=signature.standing,
                    at=now,
                )
            )
        act.session.flush()
        act.facts |= {
            "messages": [f"message:{row.id}" for row in rows],
            "refused": sorted(refused),
        }
        for row in rows:
            heard = ctx.application(row.kind)
            if heard is not None:
                error = refused.get(row.seq)
                answer = Answered(row.id, row.reference or "", peer.site, row.recipient, row.object, error)
                heard.answered(act, answer)
    step("exchange.confirm.2-kept")
    return len(rows)


def said_of(receipt: Receipt) -> Mapping[int, str]:
    """The digests that a receipt names, by number."""
    return {each.seq: each.digest for each in receipt.lines}


def _open(store: Store, peer: Peer, receipt: Receipt, digests: Mapping[int, str]) -> int:
    """How many of the messages still wait.

    Raises Behind or Forked, on record, when the receipt names others than were sent, and when it would settle some and cannot be kept beside one
    that ends with the same message: nothing is settled without proof. MalformedEnvelope of one for a roll that is not blinded.
    """
    with store.read() as session:
        rows = session.execute(
            sa.select(MessageRow.seq, MessageRow.digest, MessageRow.state, MessageRow.error).where(
                MessageRow.direction == Direction.OUT,
                MessageRow.peer == peer.site,
                MessageRow.seq.between(receipt.first, receipt.upto),
            )
        ).all()
        kept = _kept(session, peer, receipt)
        format_ = session.scalar(
            sa.select(SealRow.format)
            .where(
                SealRow.direction == Direction.OUT, SealRow.peer == peer.site, SealRow.upto >= receipt.first
            )
            .order_by(SealRow.upto)
            .limit(1)
        )
    if receipt.blind is None and format_ == SIGNED_ROLL:
        # who reads rolls blinds receipts: shown with one message it would tell of the others
        raise MalformedEnvelope(reason="a receipt that is not blinded")
    ours = {row.seq: row.digest for row in rows}
    waiting: int = sum(row.state == State.WAITING for row in rows)
    other = next((seq for seq, digest in digests.items() if ours.get(seq) != digest), 0)
    if not other:
        # of a site that was restored and took them again a second receipt: one that says otherwise than the first is no such thing
        said = {each.seq: each.error for each in receipt.lines}
        other = next(
            (row.seq for row in rows if row.state != State.WAITING and row.error != said[row.seq]), 0
        )
    if other or (kept and waiting):
        lost = other != 0 and other not in ours
        error = (Behind if lost else Forked)(peer=peer.site, seq=other or receipt.upto)
        store.refuse(SYSTEM, SUSPECT, f"exchange-peer:{peer.site}", error)
        raise error
    return waiting


def _kept(session: Session, peer: Peer, receipt: Receipt) -> bool:
    """Whether a receipt is on record that ends with the same message."""
    return session.get(ReceiptRow, (Direction.OUT, peer.site, receipt.upto)) is not None
