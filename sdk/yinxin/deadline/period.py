"""A term that has begun: when, how long it stood still, by how much it was extended. A value; each change gives a new one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from yinxin.clock import parse_rfc3339, rfc3339
from yinxin.deadline.errors import AlreadyStopped, BadPeriod, NotStopped
from yinxin.deadline.term import LONGEST, Term, Unit
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Stop:
    """Time that is not counted (Administrative Licence Law, article 45): why, from when, and until when if it is over."""

    reason: str
    begun: datetime
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """More of the term's own unit, granted for a reason before the term was over."""

    amount: int
    reason: str
    granted: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """A term that began at `start`. Stops follow one another; only the last may be without an end."""

    term: Term
    start: datetime
    stops: tuple[Stop, ...] = ()
    extensions: tuple[Extension, ...] = ()

    def __post_init__(self) -> None:
        """Refuse stops out of order; raises BadPeriod."""
        before = self.start
        for at, each in enumerate(self.stops):
            if each.begun < before or (each.ended is None and at + 1 < len(self.stops)):
                raise BadPeriod(
                    field="stops", reason=Text("中止须依次先后", "stops follow one another in time")
                )
            if each.ended is not None and each.ended < each.begun:
                raise BadPeriod(
                    field="stops", reason=Text("恢复早于中止", "it went on before it was stopped")
                )
            before = each.ended or each.begun
        if any(each.amount < 1 for each in self.extensions) or self.amount > LONGEST:
            raise BadPeriod(
                field="extensions",
                reason=Text(f"延长至少为 1，总长至多 {LONGEST}", f"at least 1 each, and {LONGEST} in all"),
            )

    @property
    def amount(self) -> int:
        """The term with all extensions, in its unit."""
        return self.term.amount + sum(each.amount for each in self.extensions)

    @property
    def stopped(self) -> Stop | None:
        """The stop in which it stands still now."""
        return self.stops[-1] if self.stops and self.stops[-1].ended is None else None

    def stop(self, at: datetime, reason: str) -> Self:
        """It stands still from `at` on; raises AlreadyStopped. Whether it is over already, the caller asks `count`."""
        if (open_ := self.stopped) is not None:
            raise AlreadyStopped(since=rfc3339(open_.begun))
        return replace(self, stops=(*self.stops, Stop(reason, at)))

    def go_on(self, at: datetime) -> Self:
        """It runs again from `at` on; raises NotStopped."""
        if (open_ := self.stopped) is None:
            raise NotStopped
        return replace(self, stops=(*self.stops[:-1], replace(open_, ended=at)))

    def extend(self, at: datetime, amount: int, reason: str) -> Self:
        """It is `amount` longer; raises BadPeriod. Whether it is over already, the caller asks `count`."""
        return replace(self, extensions=(*self.extensions, Extension(amount, reason, at)))

    def fields(self) -> dict[str, Any]:
        """As it is kept and sent: JSON."""
        return {
            "amount": self.term.amount,
            "unit": self.term.unit.value,
            "start": rfc3339(self.start),
            "stops": [
                {
                    "reason": each.reason,
                    "begun": rfc3339(each.begun),
                    "ended": rfc3339(each.ended) if each.ended else None,
                }
                for each in self.stops
            ],
            "extensions": [
                {"amount": each.amount, "reason": each.reason, "granted": rfc3339(each.granted)}
                for each in self.extensions
            ],
        }

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """What `fields` gave."""
        stops: Sequence[Mapping[str, Any]] = fields["stops"]
        extensions: Sequence[Mapping[str, Any]] = fields["extensions"]
        return cls(
            Term(fields["amount"], Unit(fields["unit"])),
            parse_rfc3339(fields["start"]),
            tuple(
                Stop(
                    each["reason"],
                    parse_rfc3339(each["begun"]),
                    parse_rfc3339(each["ended"]) if each["ended"] else None,
                )
                for each in stops
            ),
            tuple(
                Extension(each["amount"], each["reason"], parse_rfc3339(each["granted"]))
                for each in extensions
            ),
        )
