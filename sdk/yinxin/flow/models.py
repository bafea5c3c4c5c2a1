"""The tables that every life shares, and the columns of an application's own.

`flow` is the life's name and `item` the record's identifier. Steps and signatures are only ever added.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class Item:
    """What a record has whatever it is about: the base, beside `Base`, of the application's own table."""

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80))
    level: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(20), index=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class Step(Base):
    """One act on a record, in order: the timeline. `entry` is its record in the audit log."""

    __tablename__ = "flow_step"

    flow: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    verb: Mapped[str] = mapped_column(sa.String(60))
    person: Mapped[str] = mapped_column(sa.String(80))
    post: Mapped[str | None] = mapped_column(sa.String(80))
    organ: Mapped[str | None] = mapped_column(sa.String(80))
    at: Mapped[datetime]
    comment: Mapped[str | None] = mapped_column(sa.String(2000))
    entry: Mapped[str] = mapped_column(sa.String(40))


class Signature(Base):
    """The statement that a person signed in a step, with the proof that the certificate was good at that time."""

    __tablename__ = "flow_signature"

    flow: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(sa.String(60))
    organ: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    statement: Mapped[bytes]
    cms: Mapped[bytes]
    ocsp: Mapped[bytes]
    #: the attribute certificate that she acted under, with what it is judged by (PEM)
    attributes: Mapped[bytes | None]
    #: the signed delegation that she acted by (`yinxin.evidence.SignedDelegation`)
    delegation: Mapped[bytes | None]
    at: Mapped[datetime]


class ClockRow(Base):
    """A clock of a record: its period (`yinxin.deadline.Period.fields`), and when that is due by the calendar `calendar`.

    `due` is null while it stands still. `ended_at` is when what it waited for was done.
    """

    __tablename__ = "flow_clock"
    # what is overdue, the longest first
    __table_args__ = (sa.Index("ix_flow_clock_flow_ended_at_due", "flow", "ended_at", "due"),)

    flow: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    period: Mapped[dict[str, Any]]
    due: Mapped[datetime | None]
    provisional: Mapped[bool]
    calendar: Mapped[str] = mapped_column(sa.String(64))
    ended_at: Mapped[datetime | None]
