"""Which days are worked: the arrangement of each year as the State Council publishes it, and the calendar they make."""

from yinxin.calendar.arrangement import Arrangement, BadArrangement, Holiday, notice, read
from yinxin.calendar.days import Calendar, Day, DayKind, local_date, year_of

__all__ = [
    "Arrangement",
    "BadArrangement",
    "Calendar",
    "Day",
    "DayKind",
    "Holiday",
    "local_date",
    "notice",
    "read",
    "year_of",
]
