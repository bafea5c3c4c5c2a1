"""Interleaved measuring: A B A B …, so that what disturbs one disturbs the other."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

#: rounds of each contestant
ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Result:
    """A figure and what it is held against; a ratio above one is in our favour."""

    name: str
    value: float
    unit: str
    against: Mapping[str, float]
    includes: str = field(default="")

    def fields(self) -> dict[str, Any]:
        """The result as one JSON object."""
        return {
            "name": self.name,
            "value": round(self.value, 1),
            "unit": self.unit,
            "against": [
                {"name": name, "value": round(value, 1), "ratio": round(self.value / value, 3)}
                for name, value in self.against.items()
            ],
            "includes": self.includes,
        }


Work = Callable[[], int]


def rates(
    contestants: Mapping[str, Work],
    *,
    clock: Callable[[], float] = time.process_time,
    before: Mapping[str, Callable[[], None]] | None = None,
    rounds: int = ROUNDS,
) -> dict[str, float]:
    """Work done per second of `clock`, the median over `rounds` in turn; each call of a contestant returns what it did.

    `before` lays out what a contestant works on, each time, and is not measured.
    """
    found: dict[str, list[float]] = {name: [] for name in contestants}
    ready = dict(before or {})
    for name, work in contestants.items():
        ready.setdefault(name, _nothing)()
        work()  # warm
    for _ in range(rounds):
        for name, work in contestants.items():
            ready[name]()
            began = clock()
            done = work()
            found[name].append(done / max(clock() - began, 1e-9))
    return {name: median(each) for name, each in found.items()}


def _nothing() -> None:
    """Nothing to lay out."""
