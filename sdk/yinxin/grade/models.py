"""Grades of objects, each change a row that is only ever added, and the longest period of each level as the law has it when."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base

#: Law on Guarding State Secrets, 2010, art. 15; 2024, art. 20
RULES = [
    {"level": level, "since": date(2010, 10, 1), "until": None, "years": years, "basis": "保守国家秘密法"}
    for level, years in (("confidential", 10), ("secret", 20), ("top-secret", 30))
]


class RuleRow(Base):
    """How many years a level is kept at most, from `since` until the day before `until`."""

    __tablename__ = "grade_rule"

    level: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    since: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date | None]
    years: Mapped[int]
    basis: Mapped[str] = mapped_column(sa.String(200))


class GradeRow(Base):
    """What was decided of an object's secrecy: the last row of an object is in force. `level` is null once it is declassified.

    `since` is the day from which the period is counted, `ends` the first on which it is over.
    """

    __tablename__ = "grade"
    # what is over
    __table_args__ = (sa.Index("ix_grade_flow_ends", "flow", "ends"),)

    flow: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    level: Mapped[str | None] = mapped_column(sa.String(20))
    amount: Mapped[int | None]
    unit: Mapped[str | None] = mapped_column(sa.String(10))
    condition: Mapped[str | None] = mapped_column(sa.String(200))
    since: Mapped[date]
    ends: Mapped[date | None]
    basis: Mapped[str] = mapped_column(sa.String(400))
    person: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime]
    entry: Mapped[str] = mapped_column(sa.String(40))


def _shipped(table: sa.Table, connection: sa.Connection, **_: object) -> None:
    """Tables that are made without a migration have the law's periods too."""
    connection.execute(sa.insert(table), RULES)


sa.event.listen(RuleRow.__table__, "after_create", _shipped)
