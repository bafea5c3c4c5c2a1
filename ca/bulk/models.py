"""The tables of bulk enrolment."""

from datetime import datetime
from enum import StrEnum
from typing import Any

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


class ListState(StrEnum):
    """Where a list that was handed in stands."""

    CHECKED = "checked"
    RUNNING = "running"
    STOPPED = "stopped"
    ENDED = "ended"


class ListRow(Base):
    """A list that was handed in to be enrolled in the background, in the name of whoever did: `actor` as in the log.

    What becomes of its rows stands in the batch.
    """

    __tablename__ = "ca_batch_list"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    officer: Mapped[str] = mapped_column(sa.String(80))
    organ: Mapped[str] = mapped_column(sa.String(80), index=True)
    actor: Mapped[dict[str, Any]]
    name: Mapped[str] = mapped_column(sa.String(200))
    #: SHA-256 of the file, hexadecimal
    file: Mapped[str] = mapped_column(sa.String(64))
    #: as made of file and officer, there before the batch is
    batch: Mapped[str] = mapped_column(sa.String(64))
    rows: Mapped[int]
    #: rows that the dry run refused, and those of them that the command could enrol
    refused: Mapped[int]
    by_command: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(12), index=True)
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]


class ListFileRow(Base):
    """The file of a list, and what the dry run said of each row that it refused."""

    __tablename__ = "ca_batch_list_file"

    list: Mapped[str] = mapped_column(sa.ForeignKey("ca_batch_list.id"), primary_key=True)
    data: Mapped[bytes]
    refusals: Mapped[dict[str, Any]]
