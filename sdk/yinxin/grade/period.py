"""A grade as a value: level, period and basis (Law on Guarding State Secrets, 2024, art. 14 to 20), and the mark that shows it.

The period is a length, a date, or a condition; one that says nothing has the longest that its level allows.
"""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Literal, Self, get_args

from yinxin.grade.errors import NoTerm
from yinxin.text import Text

#: levels that are state secrets, lowest first
Secret = Literal["confidential", "secret", "top-secret"]
CLASSIFIED: tuple[Secret, ...] = get_args(Secret)
WORDS: dict[Secret, str] = {"confidential": "秘密", "secret": "机密", "top-secret": "绝密"}
_MONTHS = 12
#: characters, as they are kept
_LONGEST_BASIS, _LONGEST_CONDITION = 400, 200
_LENGTH = re.compile(r"([1-9][0-9]{0,3})(年|个月|天)")
_DAY = re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日")


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

    @classmethod
    def of_mark(cls, mark: str) -> Self:
        """The grade that a mark shows; which rule it is by is not on the page. Raises ValueError, NoTerm."""
        word, _, period = mark.partition("★")
        level = next((each for each, name in WORDS.items() if name == word), None)
        if level is None:
            raise ValueError(mark)
        if (length := _LENGTH.fullmatch(period)) is not None:
            unit = next(each for each, text in _UNITS.items() if text.zh == length[2])
            return cls(level, amount=int(length[1]), unit=unit)
        if (day := _DAY.fullmatch(period)) is not None:
            return cls(level, until=date(int(day[1]), int(day[2]), int(day[3])))
        return cls(level, condition=period)

    def fields(self, since: date) -> dict[str, Any]:
        """As JSON, counted from `since`, for what people sign and sites tell each other."""
        period: dict[str, Any] = {"condition": self.condition}
        if self.amount is not None:
            period = {"amount": self.amount, "unit": self.unit.value}
        elif self.until is not None:
            period = {"until": self.until.isoformat()}
        return {"level": self.level, "basis": self.basis, "since": since.isoformat(), **period}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> tuple[Self, date]:
        """What `fields` wrote: the grade, and since when; raises ValueError, TypeError, KeyError, AttributeError, NoTerm of anything else."""
        since = date.fromisoformat(fields["since"])
        until, condition, basis = fields.get("until"), fields.get("condition"), fields["basis"]
        period: dict[str, Any] = {"condition": condition}
        if "amount" in fields:
            period = {"amount": fields["amount"], "unit": Unit(fields["unit"])}
        elif until is not None:
            period = {"until": date.fromisoformat(until)}
        found = cls(fields["level"], basis=basis, **period)
        # nothing but what would be written, and a period that comes to its end in a year that there is
        whole = found.level in CLASSIFIED and found.fields(since) == dict(fields)
        good = isinstance(basis, str) and type(found.amount) in (int, type(None))
        short = len(basis) <= _LONGEST_BASIS and len(condition or "") <= _LONGEST_CONDITION
        if not (whole and good and short and "\0" not in f"{basis}{condition}"):
            raise ValueError(fields)
        try:
            found.ends(since)
        except OverflowError as error:
            raise ValueError(fields) from error
        return found, since

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
