"""A message as evidence: an ASiC-E container that `yinxin verify` checks with no line to anybody."""

import sqlalchemy as sa

from exchange.ask import Known, message_for, permitted
from exchange.errors import NotReceipted
from exchange.models import MessageRow, ReceiptRow, SealRow
from exchange.service import Exchange
from yinxin.act import Actor
from yinxin.evidence.exchanged import ExchangedMessage, SignedPart

EXPORT = "exchange.export"


def export_for(exchange: Exchange, actor: Actor, wanted: Known) -> bytes:
    """The evidence of a message; raises as `message_for`, NotReceipted, Denied, and as `Signing.sign`."""
    row = message_for(exchange, actor, wanted)
    organ = row.sender if row.direction == "out" else row.recipient
    decision = permitted(exchange, actor, EXPORT, organ)
    part = message_parts(exchange, row)
    made = part.pack(exchange.signing.sign(part.to_sign()).cms)
    with exchange.store.act(actor, EXPORT, f"message:{row.id}", peer=row.peer, seq=row.seq) as act:
        act.decision = decision.record()
    return made


def message_parts(exchange: Exchange, row: MessageRow) -> ExchangedMessage:
    """What the evidence of a message is made of, before the exporter signs it; raises NotReceipted, and as `Signing.sign`."""
    same = {"direction": row.direction, "peer": row.peer}
    with exchange.store.read() as session:
        seal = session.scalars(
            sa.select(SealRow).filter_by(**same).where(SealRow.upto >= row.seq).order_by(SealRow.upto)
        ).first()
        receipt = session.scalars(
            sa.select(ReceiptRow)
            .filter_by(**same)
            .where(ReceiptRow.upto >= row.seq)
            .order_by(ReceiptRow.upto)
        ).first()
        if seal is None or receipt is None or receipt.first > row.seq:
            raise NotReceipted(message=row.id)
        headers = session.scalars(
            sa.select(MessageRow.header)
            .filter_by(**same)
            .where(MessageRow.seq.between(row.seq, seal.upto))
            .order_by(MessageRow.seq)
        ).all()
        signed = SignedPart(seal.signature, seal.standing)
        receipted = SignedPart(receipt.signature, receipt.standing)
        said = receipt.receipt
    # what shows the exporter's signature good is in the container, so under it: of a signature just before
    standing = exchange.signing.sign(row.header).standing
    return ExchangedMessage(row.id, headers, signed, said, receipted, standing)
