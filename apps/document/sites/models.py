"""What came from other sites and what they are to be told: each copy, who sent it, what its sender was last told of it, and what is yet to be said."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class Arrival(Base):
    """A copy that another site sent to an organ of this one. `refused` says why it was not taken in; then there is no document.

    `told` is the state that its sender has been told of: what differs from the copy's is told next. `copy_number` is the copy's number
    (份号) in the issuing organ's register, where it has one; `copy_mark` is what stands on one that another site made and passed on.
    """

    __tablename__ = "document_arrival"

    document: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    peer: Mapped[str] = mapped_column(sa.String(64))
    sender: Mapped[str] = mapped_column(sa.String(80))
    level: Mapped[str] = mapped_column(sa.String(20))
    copy_number: Mapped[int | None]
    copy_mark: Mapped[str | None] = mapped_column(sa.String(200))
    refused: Mapped[str | None] = mapped_column(sa.String(2000))
    told: Mapped[str | None] = mapped_column(sa.String(20))
    at: Mapped[datetime]

    @property
    def mark(self) -> str | None:
        """What stands on the copy as its number, if it has one."""
        return self.copy_mark or (None if self.copy_number is None else f"{self.copy_number:06d}")


class What(StrEnum):
    """What an advice is of: a decision on the secrecy of a document, or which document answers it."""

    SECRECY = "secrecy"
    ANSWER = "answer"


class Advice(Base):
    """What an organ of another site is to be told of a document: queued within the act that it is of, `told_at` once it is in the outbox.

    `number` is how many decisions on its secrecy there are by then; 0 of an answer. `sender` is the organ of this site that says it.
    """

    __tablename__ = "document_advice"
    __table_args__ = (
        # what is yet to be said
        sa.Index(
            "ix_document_advice_due",
            "document",
            "organ",
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        ),
    )

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    sender: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    what: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    told_at: Mapped[datetime | None]
