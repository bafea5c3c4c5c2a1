"""The life of a message, in the order in which it happened: made, signed, received, receipted, delivered or refused.

What a signature and its timestamp prove is told from them; what only this site's record says is told so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange.header import Header, Part
from exchange.models import Direction, MessageRow, ReceiptRow, SealRow, State
from exchange.receipt import Receipt
from exchange.runs import signed_by
from exchange.service import Exchange
from yinxin.clock import parse_rfc3339
from yinxin.crypto import cms
from yinxin.text import Text


class Moment(StrEnum):
    """What happened to it."""

    MADE = "made"
    SIGNED = "signed"
    CAME = "came"
    RECEIPTED = "receipted"
    REFUSED = "refused"
    RECORDED = "recorded"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


WORDS = {
    Moment.MADE: Text("写入发件箱，编号并入链", "put into the outbox, numbered and chained"),
    Moment.SIGNED: Text("由发送站点签名", "signed by the sending site"),
    Moment.CAME: Text("到达本站点", "came to this site"),
    Moment.RECEIPTED: Text("由接收站点签出回执", "receipted by the receiving site"),
    Moment.REFUSED: Text("由接收站点签名拒收", "refused by the receiving site, signed"),
    Moment.RECORDED: Text("回执到达本站点", "the receipt came to this site"),
    Moment.DELIVERED: Text("交付应用", "delivered to its application"),
    Moment.UNDELIVERABLE: Text("应用不能接收", "its application cannot take it"),
}


_Covering = TypeVar("_Covering", SealRow, ReceiptRow)


@dataclass(frozen=True, slots=True)
class Step:
    """One moment: `at` by whoever's word it is, `site` whose act it was; `stamped` is the instant that a timestamp proves."""

    moment: Moment
    at: datetime
    site: str
    stamped: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """A message with its steps; the numbers that went under the same signature and the same receipt; and its sealed parts."""

    row: MessageRow
    steps: tuple[Step, ...]
    run: tuple[int, int] | None
    receipt: tuple[int, int] | None
    parts: tuple[Part, ...]


def life(exchange: Exchange, row: MessageRow) -> Life:
    """The life of a message that is on record; raises MalformedEnvelope of a record that was changed."""
    with exchange.store.read() as session:
        seal, receipt = covering(session, SealRow, row), covering(session, ReceiptRow, row)
        # in the order in which they follow from each other: the clocks of two sites do not tell it
        steps = tuple(_steps(session, exchange, row, seal, receipt))
    return Life(
        row,
        steps,
        (seal.first, seal.upto) if seal else None,
        (receipt.first, receipt.upto) if receipt else None,
        Header.decode(row.header).parts,
    )


def covering(session: Session, rows: type[_Covering], row: MessageRow) -> _Covering | None:
    """The signature, or the receipt, whose run a message is in; None where it is in none."""
    under = sa.select(rows).where(
        rows.direction == row.direction, rows.peer == row.peer, rows.upto >= row.seq
    )
    found = session.scalars(under.order_by(rows.upto).limit(1)).first()
    return found if found is not None and found.first <= row.seq else None


def _steps(
    session: Session, exchange: Exchange, row: MessageRow, seal: SealRow | None, receipt: ReceiptRow | None
) -> Iterator[Step]:
    header, out = Header.decode(row.header), row.direction == Direction.OUT
    yield Step(Moment.MADE, parse_rfc3339(header.at), header.sender_site)
    if seal is not None:
        signed, stamped = _signed(seal.signature, signed_by(session, exchange.own.site, seal))
        yield Step(Moment.SIGNED, signed or seal.at, header.sender_site, stamped)
    if not out:
        yield Step(Moment.CAME, row.at, exchange.own.site)
    if receipt is not None:
        said = Receipt.decode(receipt.receipt)
        line = next(each for each in said.lines if each.seq == row.seq)
        moment = Moment.REFUSED if line.error else Moment.RECEIPTED
        at, stamped = _signed(receipt.signature, said.signed)
        yield Step(moment, at or receipt.at, header.recipient_site, stamped, line.error)
        if out:
            yield Step(Moment.RECORDED, receipt.at, exchange.own.site)
    if not out and row.settled is not None and row.state != State.REFUSED:
        put_aside = row.state == State.UNDELIVERABLE
        moment = Moment.UNDELIVERABLE if put_aside else Moment.DELIVERED
        yield Step(moment, row.settled, exchange.own.site, error=row.error)


def _signed(signature: bytes, content: bytes) -> tuple[datetime | None, datetime | None]:
    """When it was signed, by the signer's word and by the timestamp; it was verified when it was taken in."""
    found = cms.verify_detached(signature, content)
    return found.signing_time, found.timestamp_token.at if found.timestamp_token else None
