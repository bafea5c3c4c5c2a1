"""Figures for monitoring: what a module can tell of itself in numbers, as it registers them (`yinxin.module.Module.metrics`).

A figure is a metric family of OpenMetrics 1.0. Its names and labels say what the platform is made of and never who uses it:
no person, no document, no address. Figures that every process of an installation reads from the database are the same in
each; those of a process (`process_…`, `yinxin_http_…`) are its own, and monitoring adds them up.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from yinxin.text import Text

S = TypeVar("S")

#: `counter` only ever rises, from the process's start or the log's; `gauge` is how it is now
Kind = Literal["counter", "gauge", "histogram", "info"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A family: `name` as monitoring knows it, without the suffixes of its kind (`_total`); a unit is the name's end (`_seconds`, `_bytes`)."""

    name: str
    text: Text
    labels: tuple[str, ...] = ()
    kind: Kind = "gauge"

    def at(self, value: float, *labels: str) -> "Sample":
        """The figure now, for these values of its labels, in their order."""
        return Sample(self, value, labels)


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of a figure. `suffix` and `more` are those that a histogram's parts have beside the labels."""

    figure: Figure
    value: float
    labels: tuple[str, ...] = ()
    suffix: str = ""
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Metrics(Generic[S]):
    """Figures that are read together, and fail together: `part` names them, `read(service)` gives their samples.

    What it reads must be cheap: it is asked every few seconds. It may raise, or take long; then the other parts are told,
    and of this one that it is not.
    """

    part: str
    figures: tuple[Figure, ...]
    read: Callable[[S], Iterable[Sample]]
