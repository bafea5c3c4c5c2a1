"""The tables of attachments.

A `Content` is a file in the store, once for everybody who attached it; an `Attachment` ties it to an object under a name.
An `Upload` is what a person has sent and attached to nothing yet; it lapses.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import LONG, Base, housekeeping


class Content(Base):
    """A stored file by its digests; `file` is its place below the store's folder."""

    __tablename__ = "attachment_content"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    sm3: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int] = mapped_column(LONG)
    file: Mapped[str] = mapped_column(sa.String(200), unique=True)
    stored_at: Mapped[datetime]


class Attachment(Base):
    """A file that belongs to an object, `subject` as the log names it (`document:…`)."""

    __tablename__ = "attachment"
    __table_args__ = (sa.UniqueConstraint("subject", "name"),)

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(200))
    name: Mapped[str] = mapped_column(sa.String(200))
    media_type: Mapped[str] = mapped_column(sa.String(100))
    sha256: Mapped[str] = mapped_column(sa.ForeignKey(Content.sha256), index=True)
    person: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime]


class Upload(Base):
    """A file on its way, as its sender declared it; `content` once the whole has arrived and holds."""

    __tablename__ = "attachment_upload"
    __table_args__ = (
        sa.Index("ix_attachment_upload_sender", "person", "sha256"),
        {"info": housekeeping},
    )

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(80))
    name: Mapped[str] = mapped_column(sa.String(200))
    size: Mapped[int] = mapped_column(LONG)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    sm3: Mapped[str | None] = mapped_column(sa.String(64))
    content: Mapped[str | None] = mapped_column(sa.ForeignKey(Content.sha256), index=True)
    begun_at: Mapped[datetime] = mapped_column(index=True)
