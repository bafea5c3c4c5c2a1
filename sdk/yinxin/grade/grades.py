"""Grading the objects of a life, within the application's acts; the object's own `level` is what policies and lists go by.

GRADES = Grades("document")
with DOCUMENTS.begin(desk, row, "document.draft") as act:
    GRADES.determine(act, row.id, Grade("secret", amount=1, basis="…"), now)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from yinxin.authz import LEVEL_TEXT
from yinxin.calendar import local_date
from yinxin.grade.errors import GradeTooLong, NotClassified, NotLonger
from yinxin.grade.models import GradeRow, RuleRow
from yinxin.grade.period import Grade, Secret, Unit, later
from yinxin.store import Act

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Grades:
    """The grades of the objects of one life."""

    flow: str

    def longest(self, session: Session, level: Secret, day: date) -> int:
        """Years that a level is kept at most, by the law of that day: what a period that says nothing is."""
        valid = (RuleRow.since <= day, sa.or_(RuleRow.until.is_(None), RuleRow.until > day))
        query = sa.select(RuleRow.years).where(RuleRow.level == level, *valid)
        return session.scalars(query.order_by(RuleRow.since.desc()).limit(1)).one()

    def determine(self, act: Act, item: str, grade: Grade, now: datetime) -> GradeRow:
        """定密, or 变更密级 of what is graded: from today on, by this period; raises GradeTooLong."""
        return self._write(act, item, grade, local_date(now), now)

    def extend(self, act: Act, item: str, grade: Grade, now: datetime) -> GradeRow:
        """延长保密期限: the period is longer, counted from where it was; the level stays. Raises NotClassified, NotLonger, GradeTooLong."""
        longer, since = self.extended(act.session, item, grade)
        return self._write(act, item, longer, since, now)

    def extended(self, session: Session, item: str, grade: Grade) -> tuple[Grade, date]:
        """What an extension to this period comes to, and since when it is counted; raises NotClassified, NotLonger."""
        row = self._in_force(session, item)
        longer = replace(grade, level=cast("Secret", row.level))
        ends = longer.ends(row.since)
        if row.ends is not None and ends is not None and ends <= row.ends:
            raise NotLonger(ends=row.ends.isoformat())
        return longer, row.since

    def demand(self, session: Session, grade: Grade, since: date, day: date) -> None:
        """Raise GradeTooLong of a period that is longer than the law of that day allows."""
        years = self.longest(session, grade.level, day)
        ends = grade.ends(since)
        if ends is not None and ends > later(since, years * _MONTHS):
            raise GradeTooLong(level=LEVEL_TEXT[grade.level], years=years)

    def adopt(
        self, act: Act, item: str, decided: tuple[Grade, date] | None, basis: str, by: tuple[str, datetime]
    ) -> GradeRow:
        """What somebody with the power to decided elsewhere, as she decided it: a grade since a day, or (None) that nothing is secret any more, by `basis`.

        The law's longest period was asked for where it was decided. `by` is who, and when.
        """
        person, at = by
        if decided is not None:
            grade, since = decided
            act.facts["grade"] = grade.mark
            return self._add(act, item, _row(grade, since), at, person)
        before = self.history(act.session, item)
        act.facts["grade"] = None
        since = before[-1].since if before else local_date(at)
        row = GradeRow(level=None, since=since, ends=local_date(at), basis=basis)
        return self._add(act, item, row, at, person)

    def declassify(self, act: Act, item: str, basis: str, now: datetime) -> GradeRow:
        """解密: nothing is secret about it from now on; raises NotClassified."""
        before = self._in_force(act.session, item)
        act.facts["grade"] = None
        return self._add(
            act, item, GradeRow(level=None, since=before.since, ends=local_date(now), basis=basis), now
        )

    def history(self, session: Session, item: str) -> list[GradeRow]:
        """Every decision, in order."""
        mine = (GradeRow.flow == self.flow, GradeRow.item == item)
        return list(session.scalars(sa.select(GradeRow).where(*mine).order_by(GradeRow.position)))

    def current(self, session: Session, item: str) -> GradeRow | None:
        """What is in force; None of an object that is not classified, or not any more."""
        rows = self.history(session, item)
        return rows[-1] if rows and rows[-1].level else None

    def lapsed(self, session: Session, day: date, most: int = 500) -> Sequence[str]:
        """Objects whose period is over on `day`: by law they are secret no longer (art. 24)."""
        newer = aliased(GradeRow)
        last = sa.select(sa.func.max(newer.position)).where(
            newer.flow == self.flow, newer.item == GradeRow.item
        )
        over = (GradeRow.flow == self.flow, GradeRow.ends <= day, GradeRow.level.is_not(None))
        query = sa.select(GradeRow.item).where(*over, GradeRow.position == last.scalar_subquery())
        return session.scalars(query.order_by(GradeRow.ends).limit(most)).all()

    def _in_force(self, session: Session, item: str) -> GradeRow:
        row = self.current(session, item)
        if row is None:
            raise NotClassified(subject=f"{self.flow}:{item}")
        return row

    def _write(self, act: Act, item: str, grade: Grade, since: date, now: datetime) -> GradeRow:
        self.demand(act.session, grade, since, local_date(now))
        act.facts["grade"] = grade.mark
        return self._add(act, item, _row(grade, since), now)

    def _add(self, act: Act, item: str, row: GradeRow, at: datetime, person: str | None = None) -> GradeRow:
        mine = (GradeRow.flow == self.flow, GradeRow.item == item)
        last = act.session.scalar(sa.select(sa.func.max(GradeRow.position)).where(*mine)) or 0
        row.flow, row.item, row.position = self.flow, item, last + 1
        row.person, row.at, row.entry = person or act.actor.id, at, act.id
        act.session.add(row)
        act.session.flush()
        return row


def _row(grade: Grade, since: date) -> GradeRow:
    row = GradeRow(level=grade.level, amount=grade.amount, condition=grade.condition, basis=grade.basis)
    row.unit = grade.unit.value if grade.amount is not None else None
    row.since, row.ends = since, grade.ends(since)
    return row


def read(row: GradeRow) -> Grade:
    """A decision as a value; of what is declassified there is none."""
    level = cast("Secret", row.level)
    if row.amount is not None:
        return Grade(level, amount=row.amount, unit=Unit(row.unit or Unit.YEARS), basis=row.basis)
    if row.condition:
        return Grade(level, condition=row.condition, basis=row.basis)
    return Grade(level, until=row.ends, basis=row.basis)
