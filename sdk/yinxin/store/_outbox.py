"""The outbox: an act's record, written in the act's own transaction, on its way to the log."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store._base import LONG, Base


class OutboxRow(Base):
    """One event that the log's sequencer has not taken yet; `number` rises with each record and is never reused."""

    __tablename__ = "outbox"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    number: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(sa.String(40), unique=True)
    data: Mapped[bytes]
    #: what opens the commitments in `data` (`Event.openings`)
    personal: Mapped[bytes | None]
