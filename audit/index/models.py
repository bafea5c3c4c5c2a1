"""The index's tables. They repeat what the log says, so that changing them needs no record; `check` holds them to it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import LONG, Base, housekeeping


class PostingRow(Base):
    """That the entry `index` has the term `term`. The primary key is the whole row: one term's entries lie together, in order."""

    __tablename__ = "audit_posting"
    __table_args__ = {"info": housekeeping, "sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    term: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)


class SpanRow(Base):
    """The latest time among the entries before `index`; it never falls from one row to the next."""

    __tablename__ = "audit_span"
    __table_args__ = (sa.Index(None, "reached", "index"), {"info": housekeeping})

    index: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    reached: Mapped[datetime]


class IndexedRow(Base):
    """The one row that says how far the index is: it holds the terms of the first `size` entries.

    `reached` is the latest time among them, `lag` by how many microseconds an entry's time was behind those before it
    at most: clocks are set back, and records of long transactions come late.
    """

    __tablename__ = "audit_indexed"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(LONG, default=0)
    reached: Mapped[datetime | None]
    lag: Mapped[int] = mapped_column(LONG, default=0)
