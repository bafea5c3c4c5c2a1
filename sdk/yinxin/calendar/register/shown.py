"""What the faces of the register show alike."""

from yinxin.calendar.register.service import Calendars, Version
from yinxin.calendar.wire import DueOut, YearOut
from yinxin.clock import rfc3339
from yinxin.deadline import Period, count


def year_out(version: Version) -> YearOut:
    """A version as it is sent."""
    until = version.in_force_until
    return YearOut(
        year=version.arrangement.year,
        version=version.version,
        document=version.arrangement.document,
        sha256=version.sha256,
        proposal=version.proposal,
        author=version.author,
        in_force_from=rfc3339(version.in_force_from),
        in_force_until=rfc3339(until) if until else None,
        signature=version.signature,
        arrangement=version.arrangement,
    )


def due_out(calendars: Calendars, period: Period) -> DueOut:
    """When a period ends by the calendar in force; raises CalendarForged."""
    return DueOut.of(count(period, calendars.calendar()))
