"""The calendar that the arrangements make: of each day, whether it is worked, and whether that is known yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from yinxin import canonical
from yinxin.calendar.arrangement import REACH, Arrangement
from yinxin.clock import UTC_PLUS_8
from yinxin.crypto.suite import INTL
from yinxin.text import Text

_SATURDAY = 5
_DECEMBER = 12


class DayKind(StrEnum):
    """What a day is."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MADE_UP = "made-up"


@dataclass(frozen=True, slots=True)
class Day:
    """A day: what it is, and of a holiday or a day worked instead which one. `known`: whether that is published."""

    date: date
    kind: DayKind
    holiday: Text | None
    known: bool

    @property
    def working(self) -> bool:
        """Whether it is a working day."""
        return self.kind in (DayKind.WORKDAY, DayKind.MADE_UP)


class Calendar:
    """Arrangements of years, one each. Of a year without one only the weekends are known, and every day of it may change."""

    def __init__(self, arrangements: Iterable[Arrangement] = ()) -> None:
        ordered = sorted(arrangements, key=lambda each: each.year)
        self.years = frozenset(each.year for each in ordered)
        digests = canonical.encode([each.digest for each in ordered])
        #: SHA-256 (hex) that stands for all of it: whoever counted by it knows whether anything has changed
        self.digest = INTL.hash.digest(digests).hex()
        self._named: dict[date, tuple[Literal[DayKind.HOLIDAY, DayKind.MADE_UP], Text]] = {}
        for each in ordered:  # the later year has the last word about the December it reaches back into
            for holiday in each.holidays:
                self._named |= dict.fromkeys(holiday.off(), (DayKind.HOLIDAY, holiday.text))
                self._named |= dict.fromkeys(holiday.work, (DayKind.MADE_UP, holiday.text))

    def day(self, date: date) -> Day:
        """What is known of a day."""
        found = self._named.get(date)
        if found is not None:
            return Day(date, found[0], found[1], self.known(date))
        plain = DayKind.WEEKEND if date.weekday() >= _SATURDAY else DayKind.WORKDAY
        return Day(date, plain, None, self.known(date))

    def working(self, date: date) -> bool:
        """Whether the day is worked, as far as is known."""
        return self.day(date).working

    def known(self, date: date) -> bool:
        """Whether it is published; the last days of a year wait for the next one's arrangement, which may reach back."""
        years = {date.year, (date + timedelta(days=REACH)).year}
        return years <= self.years

    def days(self, first: date, last: date) -> Iterator[Day]:
        """The days from `first` to `last`."""
        return (self.day(first + timedelta(days=at)) for at in range((last - first).days + 1))

    def months(self, year: int) -> Iterator[tuple[Day, ...]]:
        """The days of a year, month by month."""
        for month in range(1, _DECEMBER + 1):
            first = date(year, month, 1)
            beyond = date(year + (month == _DECEMBER), month % _DECEMBER + 1, 1)
            yield tuple(self.days(first, beyond - timedelta(days=1)))


def year_of(at: datetime) -> datetime:
    """When the calendar year of an instant began in official time."""
    return datetime(local_date(at).year, 1, 1, tzinfo=UTC_PLUS_8)


def local_date(at: datetime) -> date:
    """The day an instant falls on in official time."""
    return at.astimezone(UTC_PLUS_8).date()
