"""Reports that were made, their files, and the schedules that make them."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class ReportRow(Base):
    """A report. `sealed` is when its PDF was stored; before that it is recorded, and being finished.

    A schedule makes one for each period: `schedule` and `until` together are unique.
    """

    __tablename__ = "audit_report"
    __table_args__ = (sa.UniqueConstraint("schedule", "until"), sa.Index(None, "kind", "id"))

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    about: Mapped[str | None] = mapped_column(sa.String(300))
    since: Mapped[datetime]
    until: Mapped[datetime]
    made: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(200))
    schedule: Mapped[str | None] = mapped_column(sa.String(40))
    entries: Mapped[int]
    entry: Mapped[str] = mapped_column(sa.String(40))
    sealed: Mapped[datetime | None] = mapped_column(index=True)


class ReportFileRow(Base):
    """A file of a report."""

    __tablename__ = "audit_report_file"

    report: Mapped[str] = mapped_column(sa.ForeignKey("audit_report.id"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    data: Mapped[bytes]


class ScheduleRow(Base):
    """That a report is made for each whole period that begins at or after `begin`; until it is ended."""

    __tablename__ = "audit_schedule"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    about: Mapped[str | None] = mapped_column(sa.String(300))
    every: Mapped[str] = mapped_column(sa.String(10))
    owner: Mapped[str] = mapped_column(sa.String(80))
    begin: Mapped[datetime]
    created: Mapped[datetime]
    ended: Mapped[datetime | None] = mapped_column(index=True)
