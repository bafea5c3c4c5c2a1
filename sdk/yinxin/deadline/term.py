"""How long something may take."""

from dataclasses import dataclass
from enum import StrEnum

from yinxin.text import Text

#: the longest term in days or hours: whoever writes more has mistaken the unit
LONGEST = 10_000


class Unit(StrEnum):
    """What a term is counted in."""

    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working-days"

    @property
    def text(self) -> Text:
        """In words."""
        return _TEXT[self]


_TEXT = {
    Unit.HOURS: Text("小时", "hours"),
    Unit.DAYS: Text("日", "days"),
    Unit.WORKING_DAYS: Text("个工作日", "working days"),
}


@dataclass(frozen=True, slots=True)
class Term:
    """So many of a unit, at least one."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        """Refuse a term that is none; terms are data, so whoever administers them is told before."""
        if not 1 <= self.amount <= LONGEST:
            raise ValueError(f"a term of {self.amount} {self.unit}")

    @property
    def text(self) -> Text:
        """In words."""
        return Text(f"{self.amount} {self.unit.text.zh}", f"{self.amount} {self.unit.text.en}")
