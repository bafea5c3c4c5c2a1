"""The table of CMP transactions: what makes a repeated message have the same answer."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping


class Stage(StrEnum):
    """`begun` → `waiting` for the confirmation → `confirmed`; or `rejecting` → `rejected`; or `closed`, with nothing to confirm."""

    BEGUN = "begun"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    #: the certificate is to be revoked, and may not be yet
    REJECTING = "rejecting"
    REJECTED = "rejected"
    CLOSED = "closed"


class CmpTransactionRow(Base):
    """One transaction of one sender. Issuance and revocation are recorded where they happen; this is their postman's memory."""

    __tablename__ = "ca_cmp_transaction"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    #: SHA-256 of sender and transactionID, hexadecimal; also the end of the issuance's reference
    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    stage: Mapped[str] = mapped_column(sa.String(12), index=True)
    #: the first message, DER: what is worked on when the client polls after a crash
    request: Mapped[bytes]
    #: the answer to it, DER, given again whenever it comes again
    response: Mapped[bytes | None]
    #: our nonce in the first answer and in the last one
    first_nonce: Mapped[bytes]
    last_nonce: Mapped[bytes]
    serial: Mapped[str | None] = mapped_column(sa.String(40))
    confirm_until: Mapped[datetime] = mapped_column(index=True)
    created: Mapped[datetime]
