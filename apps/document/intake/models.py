"""The tables of incoming documents: one row for a copy that an organ has registered, and who has read it in circulation.

An `Intake` lives the life of `states.LIFE`; its steps and signatures are in the tables of `yinxin.flow`.
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.flow import Item
from yinxin.store import Base


class State(StrEnum):
    """How far an organ has come with an incoming document."""

    REGISTERED = "registered"
    PROPOSED = "proposed"
    INSTRUCTED = "instructed"
    HANDLING = "handling"
    HANDLED = "handled"
    ANSWERED = "answered"


class Intake(Item, Base):
    """An incoming document of `organ`. `main` and `joint` are the posts that handle it, `amount` and `unit` the time they have.

    `answer` is the document by which the sender was answered.
    """

    __tablename__ = "document_intake"
    __table_args__ = (
        sa.UniqueConstraint("organ", "document"),
        sa.UniqueConstraint("organ", "number", name="uq_document_intake_organ_number"),
        # an organ's incoming documents in a state, newest first
        sa.Index("ix_document_intake_organ_state_id", "organ", "state", "id"),
    )

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), index=True)
    number: Mapped[str] = mapped_column(sa.String(40))
    title: Mapped[str] = mapped_column(sa.String(400))
    sender: Mapped[str] = mapped_column(sa.String(80))
    urgency: Mapped[str | None] = mapped_column(sa.String(20))
    main: Mapped[str | None] = mapped_column(sa.String(80))
    joint: Mapped[list[str]] = mapped_column(sa.JSON)
    amount: Mapped[int | None]
    unit: Mapped[str | None] = mapped_column(sa.String(20))
    hurried: Mapped[int]
    hurried_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(sa.ForeignKey("document.id"), index=True)


class Answer(Base):
    """Which document answers one: the answering organ's own, of this site or of another; an organ answers once."""

    __tablename__ = "document_answer"

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    answer: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), index=True)
    at: Mapped[datetime]


class Reader(Base):
    """A post that is to read an incoming document (传阅), and when somebody in it has."""

    __tablename__ = "document_intake_reader"
    # what a post has still to read
    __table_args__ = (sa.Index("ix_document_intake_reader_post_read_at", "post", "read_at"),)

    intake: Mapped[str] = mapped_column(sa.ForeignKey("document_intake.id"), primary_key=True)
    post: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    asked_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    person: Mapped[str | None] = mapped_column(sa.String(80))


class IntakeNumbering(Base):
    """The last number that an organ gave to what it received in a year."""

    __tablename__ = "document_intake_numbering"

    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
