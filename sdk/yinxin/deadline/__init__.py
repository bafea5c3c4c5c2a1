"""Deadlines: terms in working days, days or hours, counted as Chinese law counts, with stops and extensions."""

from yinxin.deadline.count import Due, count, left
from yinxin.deadline.errors import AlreadyStopped, BadPeriod, DeadlinePassed, NotStopped
from yinxin.deadline.period import Extension, Period, Stop
from yinxin.deadline.term import Term, Unit

__all__ = [
    "AlreadyStopped",
    "BadPeriod",
    "DeadlinePassed",
    "Due",
    "Extension",
    "NotStopped",
    "Period",
    "Stop",
    "Term",
    "Unit",
    "count",
    "left",
]
