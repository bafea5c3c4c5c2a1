"""The tables of official documents.

A `Document` lives the life of `states.LIFE`; its steps, and what people signed in them, are in the tables of
`yinxin.flow`, and its recipients' copies in those of `yinxin.distribution`. What was made of it (`File`) is kept as the very bytes.
"""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.flow import Item
from yinxin.store import Base


class State(StrEnum):
    """Where a document is in its life (Regulation 2012, chapter 5)."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    COUNTERSIGNING = "countersigning"
    REVIEWED = "reviewed"
    SIGNED_OFF = "signed_off"
    NUMBERED = "numbered"
    SEALING = "sealing"
    SEALED = "sealed"
    DISPATCHED = "dispatched"


class Document(Item, Base):
    """One official document, from draft to dispatch; `reference` is the drafter's own key, so that drafting twice is once."""

    __tablename__ = "document"
    __table_args__ = (
        sa.UniqueConstraint("drafter", "reference"),
        # an organ's documents, newest first
        sa.Index("ix_document_organ_id", "organ", "id"),
        sa.Index("ix_document_organ_state_id", "organ", "state", "id"),
    )

    reference: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(20))
    title: Mapped[str] = mapped_column(sa.String(400))
    urgency: Mapped[str | None] = mapped_column(sa.String(20))
    recipients: Mapped[list[str]] = mapped_column(sa.JSON)
    #: 抄送: who is to know of it
    copied_to: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    #: the organs that have a copy to read: since it was dispatched, and as long as theirs was not withdrawn or given back
    holders: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    #: 联署机关: the organs that issue it beside its own, in their order; 会签机关: those whose consent it needs
    joint: Mapped[list[str]] = mapped_column(sa.JSON, default=list, server_default="[]")
    consulted: Mapped[list[str]] = mapped_column(sa.JSON, default=list, server_default="[]")
    #: whether these were asked to countersign it: before that they see nothing of it
    asked: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    #: how long they have
    within_amount: Mapped[int | None]
    within_unit: Mapped[str | None] = mapped_column(sa.String(20))
    #: why an upward document skips the organ right above, if it does
    skips: Mapped[str | None] = mapped_column(sa.String(2000))
    drafter: Mapped[str] = mapped_column(sa.String(80))
    reviewer: Mapped[str | None] = mapped_column(sa.String(80))
    signer: Mapped[str | None] = mapped_column(sa.String(80))
    signer_name: Mapped[str | None] = mapped_column(sa.String(80))
    #: the name of the post that she signed in
    signer_title: Mapped[str | None] = mapped_column(sa.String(400))
    dated: Mapped[str | None] = mapped_column(sa.String(10))
    number: Mapped[str | None] = mapped_column(sa.String(80), unique=True)
    number_year: Mapped[int | None]
    number_serial: Mapped[int | None]
    pages: Mapped[int | None]
    seal_box: Mapped[dict[str, Any] | None]


class Content(Base):
    """One version of the text: the user's own file, and the canonical JSON that the leader signs."""

    __tablename__ = "document_content"

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    filename: Mapped[str] = mapped_column(sa.String(255))
    source: Mapped[bytes]
    data: Mapped[bytes]
    sha256: Mapped[str] = mapped_column(sa.String(64))


class File(Base):
    """Something made from the document: `layout.pdf`, `layout.ofd`, `sealed.pdf`, `sealed.ofd`, `sealed.sm.p7s`."""

    __tablename__ = "document_file"

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    data: Mapped[bytes]


class Numbering(Base):
    """The last serial given by an organ in a year, or to its orders: numbers have neither gaps nor repeats."""

    __tablename__ = "document_numbering"

    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
