"""The clocks of a record: started, stopped, extended and ended by transitions; counted again when a year is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from yinxin.calendar import Calendar
from yinxin.deadline import Due, Period, Term, count, left
from yinxin.flow.errors import NoClock
from yinxin.flow.life import Life, Transition
from yinxin.flow.models import ClockRow

#: clocks that are read at once when all are counted again
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ClockState:
    """A clock as it stands; `due` as far as is known now. `left` is in the period's unit, negative when overdue."""

    name: str
    period: Period
    due: Due
    ended_at: datetime | None
    left: int | None

    @classmethod
    def of(cls, row: ClockRow, calendar: Calendar, now: datetime) -> Self:
        """A row as a value; nothing is left of one that has ended."""
        period = Period.of(row.period)
        remaining = None if row.ended_at else left(period, calendar, now)
        return cls(row.name, period, Due(row.due, row.provisional), row.ended_at, remaining)

    def late(self, now: datetime) -> bool:
        """Whether it is over, or was when what it waited for was done."""
        return self.due.late(self.ended_at or now)


@dataclass(frozen=True)
class Turn:
    """What a transition does to the clocks of one record, within its act."""

    life: Life
    item: str
    session: Session
    now: datetime
    calendar: Calendar

    def turn(
        self,
        transition: Transition,
        terms: Mapping[str, Term],
        reason: str,
        *,
        ends: bool,
        more: int,
        ended: tuple[str, ...],
    ) -> dict[str, Any]:
        """Do it, and tell the record what is due now; raises DeadlinePassed, AlreadyStopped, NotStopped, NoClock.

        `terms` are those of the clocks that start; `ends`: the record's life is over, and with it every clock; `ended` are the clocks
        that end here; `more` is by how much the extended one gets longer.
        """
        for row in self._running():
            period = Period.of(row.period)
            if ends or row.name in ended:
                row.ended_at = self.now
            elif transition.resumes:
                self._count(row, period.go_on(self.now))
            elif transition.stops:
                count(period, self.calendar).demand(self.now)
                self._count(row, period.stop(self.now, reason))
        if transition.extends is not None:
            self._extend(transition.extends, more, reason)
        for name in transition.starts:
            self._start(name, terms[name])
        self.session.flush()
        due = {row.name: row.due for row in self._running()}
        return {name: at.isoformat() if at else None for name, at in sorted(due.items())}

    def _running(self) -> Sequence[ClockRow]:
        mine = (ClockRow.flow == self.life.name, ClockRow.item == self.item, ClockRow.ended_at.is_(None))
        return self.session.scalars(sa.select(ClockRow).where(*mine)).all()

    def _start(self, name: str, term: Term) -> None:
        """Started a second time it begins anew: what became of the first is in the timeline and the log."""
        key = (self.life.name, self.item, name)
        row = self.session.get(ClockRow, key)
        if row is None:
            row = ClockRow(flow=self.life.name, item=self.item, name=name)
            self.session.add(row)
        row.ended_at = None
        self._count(row, Period(term, self.now))

    def _extend(self, name: str, more: int, reason: str) -> None:
        row = next((each for each in self._running() if each.name == name), None)
        if row is None:
            raise NoClock(thing=self.life.thing, record=self.item, clock=self.life.clocks[name])
        period = Period.of(row.period)
        count(period, self.calendar).demand(self.now)
        self._count(row, period.extend(self.now, more, reason))

    def _count(self, row: ClockRow, period: Period) -> None:
        row.period = period.fields()
        counted(row, period, self.calendar)


def counted(row: ClockRow, period: Period, calendar: Calendar) -> bool:
    """Write down when it is due by this calendar; whether that is another time than before."""
    due = count(period, calendar)
    changed = (row.due, row.provisional) != (due.at, due.provisional)
    row.due, row.provisional, row.calendar = due.at, due.provisional, calendar.digest
    return changed


def rows_of(session: Session, life: Life, items: Sequence[str]) -> Sequence[ClockRow]:
    """The clocks of some records as they are kept, in order of their records and names."""
    query = sa.select(ClockRow).where(ClockRow.flow == life.name, ClockRow.item.in_(items))
    return session.scalars(query.order_by(ClockRow.item, ClockRow.name)).all()


def states_of(rows: Sequence[ClockRow], calendar: Calendar, now: datetime) -> dict[str, list[ClockState]]:
    """How they stand, by record."""
    found: dict[str, list[ClockState]] = {}
    for row in rows:
        found.setdefault(row.item, []).append(ClockState.of(row, calendar, now))
    return found


def stale(session: Session, life: Life, calendar: Calendar, *, lock: bool) -> Sequence[ClockRow]:
    """The clocks that run and were counted by another calendar, some hundreds of them at most."""
    mine = (
        ClockRow.flow == life.name,
        ClockRow.ended_at.is_(None),
        ClockRow.calendar != calendar.digest,
    )
    query = sa.select(ClockRow).where(*mine).limit(_AT_ONCE)
    return session.scalars(query.with_for_update() if lock else query).all()
