"""The tables of official documents.

A `Document` has a state and a version; every change of state is a `Step`, raises the version and is one recorded act.
What people signed (`Signature`) and what was made (`File`) is kept as the very bytes.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class State(StrEnum):
    """Where a document is in its life (Regulation 2012, chapter 5)."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    REVIEWED = "reviewed"
    SIGNED_OFF = "signed_off"
    NUMBERED = "numbered"
    SEALING = "sealing"
    SEALED = "sealed"
    DISPATCHED = "dispatched"


class DeliveryState(StrEnum):
    """What became of one recipient's copy."""

    SENT = "sent"
    RECEIVED = "received"
    RETURNED = "returned"


class Document(Base):
    """One official document, from draft to dispatch; `reference` is the drafter's own key, so that drafting twice is once."""

    __tablename__ = "document"
    __table_args__ = (sa.UniqueConstraint("drafter", "reference"),)

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    reference: Mapped[str] = mapped_column(sa.String(120))
    organ: Mapped[str] = mapped_column(sa.String(80), index=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    title: Mapped[str] = mapped_column(sa.String(400))
    level: Mapped[str] = mapped_column(sa.String(20))
    urgency: Mapped[str | None] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(20), index=True)
    version: Mapped[int] = mapped_column(default=1)
    recipients: Mapped[list[str]] = mapped_column(sa.JSON)
    drafter: Mapped[str] = mapped_column(sa.String(80))
    reviewer: Mapped[str | None] = mapped_column(sa.String(80))
    signer: Mapped[str | None] = mapped_column(sa.String(80))
    signer_name: Mapped[str | None] = mapped_column(sa.String(80))
    dated: Mapped[str | None] = mapped_column(sa.String(10))
    number: Mapped[str | None] = mapped_column(sa.String(80), unique=True)
    number_year: Mapped[int | None]
    number_serial: Mapped[int | None]
    pages: Mapped[int | None]
    seal_box: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)


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
    """Something made from the document: `layout.pdf`, `sealed.pdf`, `sealed.sm.p7s`."""

    __tablename__ = "document_file"

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    data: Mapped[bytes]


class Step(Base):
    """One act on a document, in order: the timeline. `entry` is its record in the audit log."""

    __tablename__ = "document_step"

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    verb: Mapped[str] = mapped_column(sa.String(60))
    person: Mapped[str] = mapped_column(sa.String(80))
    post: Mapped[str | None] = mapped_column(sa.String(80))
    organ: Mapped[str | None] = mapped_column(sa.String(80))
    at: Mapped[datetime]
    comment: Mapped[str | None] = mapped_column(sa.String(2000))
    entry: Mapped[str] = mapped_column(sa.String(40))


class Signature(Base):
    """A statement that a person signed about a document, with the proof that the certificate was good at that time."""

    __tablename__ = "document_signature"

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    type: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(80))
    statement: Mapped[bytes]
    cms: Mapped[bytes]
    ocsp: Mapped[bytes]
    at: Mapped[datetime]


class Delivery(Base):
    """One recipient's copy of a dispatched document."""

    __tablename__ = "document_delivery"

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(20))
    reason: Mapped[str | None] = mapped_column(sa.String(2000))
    sent_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class Numbering(Base):
    """The last serial given by an organ in a year: numbers have neither gaps nor repeats."""

    __tablename__ = "document_numbering"

    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
