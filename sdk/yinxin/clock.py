"""Time is handed in, never taken.

`Clock.now()` is an aware datetime in UTC with microseconds. `SystemClock` is the machine's; `ManualClock` stands
still until it is moved, for tests and replays.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Protocol

from yinxin.errors import Invalid

#: official time: GB/T 7408 dates of the government are days of UTC+8, all over the country and all year
UTC_PLUS_8 = timezone(timedelta(hours=8))
#: RFC 3339, 5.6; its letters may be small
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


class BadInstant(Invalid):
    """A text that is no RFC 3339 instant."""

    code = "time.bad_instant"
    zh = "“{text}”不是带时区的时间；请写成 2026-11-22T09:30:00+08:00。"
    en = "“{text}” is no time with an offset; write it as 2026-11-22T09:30:00+08:00."


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that its holder moves."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("an aware datetime is needed")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it stands at."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move forward, or back when `by` is negative."""
        self._at += by


def rfc3339(at: datetime) -> str:
    """UTC with microseconds and `Z`: one text per instant, so that it sorts and hashes the same everywhere."""
    return _written(at if at.tzinfo is UTC else at.astimezone(UTC))


@lru_cache(maxsize=256)
def _written(utc: datetime) -> str:
    """What is done together happens at one instant, or ends at one."""
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"  # without its offset, which is +00:00


def official(at: datetime) -> str:
    """An instant as readers here know it: official time to the second, with its offset."""
    return at.astimezone(UTC_PLUS_8).strftime("%Y-%m-%d %H:%M:%S+08:00")


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 instant; raises BadInstant for anything else, as ISO 8601's other forms are, or one that never is."""
    if not _INSTANT.fullmatch(text):
        raise BadInstant(text=text[:40])
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadInstant(text=text[:40]) from error
