"""A message as evidence: an ASiC-E container that `yinxin verify` checks with no line to anybody."""

import sqlalchemy as sa

from exchange.ask import Known, message_for
from exchange.desk import of_kind
from exchange.errors import NotReceipted
from exchange.life import covering
from exchange.models import MessageRow, ReceiptRow, SealRow
from exchange.receipt import Receipt
from exchange.roll import SIGNED_LAST
from exchange.runs import signed_by
from exchange.service import Exchange
from yinxin.act import Actor
from yinxin.evidence.exchanged import ExchangedMessage, SignedPart

EXPORT = "exchange.export"


def export_for(exchange: Exchange, actor: Actor, wanted: Known) -> bytes:
    """The evidence of a message; raises as `message_for`, NotReceipted, Denied, and as `Signing.sign`."""
    row = message_for(exchange, actor, wanted)
    organ = row.sender if row.direction == "out" else row.recipient
    decision = exchange.decider.require(actor, EXPORT, of_kind(organ, row.kind))
    part = message_parts(exchange, row)
    made = part.pack(exchange.signing.sign(part.to_sign()).cms)
    with exchange.store.act(actor, EXPORT, f"message:{row.id}", peer=row.peer, seq=row.seq) as act:
        act.decision = decision.record()
    return made


def message_parts(exchange: Exchange, row: MessageRow) -> ExchangedMessage:
    """What the evidence of a message is made of, before the exporter signs it; raises NotReceipted, and as `Signing.sign`."""
    with exchange.store.read() as session:
        seal, receipt = covering(session, SealRow, row), covering(session, ReceiptRow, row)
        if seal is None or receipt is None:
            raise NotReceipted(message=row.id)
        rolled = seal.format != SIGNED_LAST
        # without a roll the message is shown to be signed by those after it
        upto = row.seq if rolled else seal.upto
        headers = session.scalars(
            sa.select(MessageRow.header)
            .filter_by(direction=row.direction, peer=row.peer)
            .where(MessageRow.seq.between(row.seq, upto))
            .order_by(MessageRow.seq)
        ).all()
        listed = signed_by(session, exchange.own.site, seal) if rolled else None
        signed = SignedPart(seal.signature, seal.standing)
        receipted = SignedPart(receipt.signature, receipt.standing)
        said = Receipt.decode(receipt.receipt)
    # what shows the exporter's signature good is in the container, so under it: of a signature just before
    standing = exchange.signing.sign(row.header).standing
    return ExchangedMessage(
        row.id, headers, signed, said.signed, receipted, standing, roll=listed, line=said.shown(row.seq)
    )
