"""A grade as a value: level, period and basis (Law on Guarding State Secrets, 2024, art. 14 to 20), and the mark that shows it.

The period is a length, a date, or a condition; one that says nothing has the longest that its level allows.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal, get_args

from yinxin.grade.errors import NoTerm
from yinxin.text import Text

#: levels that are state secrets, lowest first
Secret = Literal["confidential", "secret", "top-secret"]
CLASSIFIED: tuple[Secret, ...] = get_args(Secret)
WORDS: dict[Secret, str] = {"confidential": "秘密", "secret": "机密", "top-secret": "绝密"}
_MONTHS = 12


class Unit(StrEnum):
    """What a length is counted in."""

    YEARS = "years"
    MONTHS = "months"
    DAYS = "days"

    @property
    def text(self) -> Text:
        """In words, as the mark writes them."""
        return _UNITS[self]


_UNITS = {
    Unit.YEARS: Text("年", " years"),
    Unit.MONTHS: Text("个月", " months"),
    Unit.DAYS: Text("天", " days"),
}


@dataclass(frozen=True, slots=True)
class Grade:
    """What is secret about an object: exactly one of length (`amount` of `unit`), `until` (the day of declassification) and `condition`."""

    level: Secret
    amount: int | None = None
    unit: Unit = Unit.YEARS
    until: date | None = None
    condition: str | None = None
    basis: str = ""

    def __post_init__(self) -> None:
        """Refuse a period that says two things, or nothing; raises NoTerm."""
        said = [self.amount is not None, self.until is not None, bool((self.condition or "").strip())]
        if sum(said) != 1 or (self.amount is not None and self.amount < 1):
            raise NoTerm

    @property
    def mark(self) -> str:
        """The mark on the page (GB/T 9704-2012, 7.2.2): 机密★1年, 机密★2030年1月1日, 机密★项目验收后."""
        if self.amount is not None:
            return f"{WORDS[self.level]}★{self.amount}{self.unit.text.zh}"
        if self.until is not None:
            return f"{WORDS[self.level]}★{self.until.year}年{self.until.month}月{self.until.day}日"
        return f"{WORDS[self.level]}★{self.condition}"

    def ends(self, since: date) -> date | None:
        """The first day on which it is secret no longer, if it was determined on `since`; None while a condition is awaited."""
        if self.amount is None:
            return self.until
        if self.unit is Unit.DAYS:
            return since + timedelta(days=self.amount)
        return later(since, self.amount * (_MONTHS if self.unit is Unit.YEARS else 1))


def later(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where there is none."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
