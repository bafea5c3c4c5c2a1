"""Whether the clock can be believed: what the machine's time service says of it (`chronyc -c tracking`).

The report is a file that a timer of the machine rewrites, so that this process neither runs programs nor talks to a
daemon. Without a fresh report that vouches for the clock there are no timestamps.
"""

from datetime import datetime
from pathlib import Path
from typing import Protocol

from ca.errors import ClockUncertain
from ca.settings import CaSettings
from yinxin.text import Text

#: columns of the report (chronyc(1), `tracking`): offset, root delay, root dispersion in seconds; leap status
_OFFSET, _DELAY, _DISPERSION, _LEAP, _COLUMNS = 4, 10, 11, 13, 14


class ClockWatch(Protocol):
    """Somebody who knows whether the clock is right."""

    def check(self, now: datetime) -> None:
        """Raise ClockUncertain unless the clock is known to be right."""


class Unwatched:
    """Nobody is asked; the clock is still held to the last timestamp told."""

    def check(self, now: datetime) -> None:
        """Take the clock as it is."""


class ChronyReport:
    """The newest report of chrony, read each time."""

    def __init__(self, file: Path, *, accuracy: float, oldest: float) -> None:
        """`accuracy`: how far the clock may be off, in seconds; `oldest`: age of a report that still counts."""
        self._file, self._accuracy, self._oldest = file, accuracy, oldest

    def check(self, now: datetime) -> None:
        """Raise ClockUncertain unless a fresh report bounds the clock's error by the accuracy (RFC 5905 11.2)."""
        try:
            age = now.timestamp() - self._file.stat().st_mtime
            fields = self._file.read_text("utf-8").strip().split(",")
            offset, delay, dispersion = (abs(float(fields[each])) for each in (_OFFSET, _DELAY, _DISPERSION))
        except (OSError, ValueError, IndexError) as error:
            raise self._uncertain(Text("没有可读的报告", "there is no report that can be read")) from error
        if len(fields) != _COLUMNS or fields[_LEAP] == "Not synchronised":
            raise self._uncertain(Text("时钟未同步", "it is not synchronised"))
        if not abs(age) <= self._oldest:
            raise self._uncertain(Text("报告已过时", "the report is out of date"))
        if not offset + delay / 2 + dispersion <= self._accuracy:
            raise self._uncertain(Text("误差超过所声明的精度", "its error exceeds the stated accuracy"))

    def _uncertain(self, reason: Text) -> ClockUncertain:
        return ClockUncertain(reason=reason, report=str(self._file))


def watch(settings: CaSettings) -> ClockWatch:
    """What the settings ask for."""
    if not settings.tsa_clock_report:
        return Unwatched()
    return ChronyReport(
        Path(settings.tsa_clock_report),
        accuracy=settings.tsa_accuracy_seconds,
        oldest=settings.tsa_clock_report_seconds,
    )
