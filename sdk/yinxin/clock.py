"""Time is handed in, never taken.

`Clock.now()` is an aware datetime in UTC with microseconds. `SystemClock` is the machine's; `ManualClock` stands
still until it is moved, for tests and replays.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from yinxin.errors import Invalid


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
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 instant; raises BadInstant without an offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInstant(text=text[:40]) from error
    if at.tzinfo is None:
        raise BadInstant(text=text[:40])
    return at.astimezone(UTC)
