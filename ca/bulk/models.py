"""The tables of bulk enrolment."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class State(StrEnum):
    """Where a row stands."""

    PENDING = "pending"
    ISSUED = "issued"
    REFUSED = "refused"


class BatchRow(Base):
    """A file being enrolled; `id` is made of its content and the officer, so that starting again finds it."""

    __tablename__ = "ca_batch"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    officer: Mapped[str] = mapped_column(sa.String(80), index=True)
    #: SHA-256 of the file, hexadecimal
    file: Mapped[str] = mapped_column(sa.String(64))
    rows: Mapped[int]
    created: Mapped[datetime]


class BatchEntryRow(Base):
    """One row of the file and what became of it."""

    __tablename__ = "ca_batch_row"
    __table_args__ = (sa.Index("ix_ca_batch_row_state", "batch", "state", "number"),)

    batch: Mapped[str] = mapped_column(sa.ForeignKey("ca_batch.id"), primary_key=True)
    #: line of the file, the column names being the first
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(sa.String(12))
    serial: Mapped[str | None] = mapped_column(sa.String(40))
    code: Mapped[str | None] = mapped_column(sa.String(60))
    reason_zh: Mapped[str | None] = mapped_column(sa.Text)
    reason_en: Mapped[str | None] = mapped_column(sa.Text)
