"""A year's arrangement of holidays: which days are off, and which days of a weekend are worked instead (调休).

The General Office of the State Council publishes it late in the year before. It may reach back into that December: a
New Year's holiday has begun on the 30th, and been made up for on the 29th. A file of one is TOML:

    year = 2026
    document = "国办发明电〔2025〕7号"

    [[holidays]]
    zh = "元旦"
    en = "New Year's Day"
    first = 2026-01-01
    last = 2026-01-03
    work = [2026-01-04]
"""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from yinxin import canonical
from yinxin.crypto.suite import INTL
from yinxin.errors import Invalid
from yinxin.faults import BadValue, first_fault
from yinxin.text import Text
from yinxin.wire import Model

#: days in a row that a holiday may take; the longest so far had 9, and a pandemic made one of 10
_LONGEST = 16
_SATURDAY = 5
#: how many of the last days of the year before an arrangement may speak of
REACH = 10


class BadArrangement(Invalid):
    """A file that is no arrangement of a year."""

    code = "calendar.bad_arrangement"
    zh = "放假安排的“{field}”有误（{reason}）：请对照国务院办公厅的通知改正后重新提出。"
    en = "“{field}” of the arrangement of holidays is wrong ({reason}): correct it by the notice of the State Council's General Office and propose again."


class Holiday(Model):
    """One holiday: `first` to `last` are off, and on the days of `work` the house works although they are weekends."""

    zh: str = Field(min_length=1, max_length=40)
    en: str = Field(min_length=1, max_length=80)
    first: date
    last: date
    work: tuple[date, ...] = Field(default=(), max_length=_LONGEST)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.first <= self.last < self.first + timedelta(days=_LONGEST):
            raise BadValue(
                f"“{self.zh}”须从第一天到最后一天，至多 {_LONGEST} 天",
                f"“{self.en}” must run from its first day to its last, {_LONGEST} days at most",
            )
        return self

    @property
    def text(self) -> Text:
        """Its name."""
        return Text(self.zh, self.en)

    def off(self) -> Iterator[date]:
        """Its days."""
        return (self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1))


class Arrangement(Model):
    """A year's arrangement; `document` is the number of the notice that it stands in."""

    year: int = Field(ge=1949, le=2999)
    document: str = Field(min_length=1, max_length=80)
    holidays: tuple[Holiday, ...] = Field(min_length=1, max_length=40)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        off = [day for each in self.holidays for day in each.off()]
        work = [day for each in self.holidays for day in each.work]
        first, last = date(self.year, 1, 1) - timedelta(days=REACH), date(self.year, 12, 31)
        if strange := [day for day in (*off, *work) if not first <= day <= last]:
            raise BadValue(
                f"{strange[0]} 既不在本年，也不在上年最后 {REACH} 天",
                f"{strange[0]} is neither in the year nor among the last {REACH} days before it",
            )
        if twice := [day for at, day in enumerate([*off, *work]) if day in [*off, *work][:at]]:
            raise BadValue(f"{twice[0]} 被安排了两次", f"{twice[0]} is arranged twice")
        if ordinary := [day for day in work if day.weekday() < _SATURDAY]:
            raise BadValue(
                f"{ordinary[0]} 本来就是工作日，不需要调休上班",
                f"{ordinary[0]} is worked anyway and makes up for nothing",
            )
        return self

    def encode(self) -> bytes:
        """Its one spelling (canonical JSON)."""
        return canonical.encode(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its one spelling."""
        return INTL.hash.digest(self.encode()).hex()


def read(data: bytes) -> Arrangement:
    """The arrangement that stands in a TOML file; raises BadArrangement naming the field."""
    try:
        return Arrangement.model_validate(tomllib.loads(data.decode("utf-8-sig")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadArrangement(field="*", reason=str(error)) from error
    except ValidationError as error:
        place, reason = first_fault(error)
        raise BadArrangement(field=".".join(map(str, place)) or "*", reason=reason) from error


def notice(year: int) -> str | None:
    """The file of a year as it came with the software, to be held against the published notice and proposed; None without one."""
    file = Path(__file__).parent / "notices" / f"{year}.toml"
    return file.read_text("utf-8") if file.is_file() else None
