"""How often one account or one address may ask, counted by each process; bounded itself."""

from collections import OrderedDict
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock

from ca.acme.errors import TooMany
from yinxin.clock import Clock
from yinxin.text import Text

_HOUR = timedelta(hours=1)
#: askers remembered; the one that was quiet for longest is forgotten first
_MOST = 10_000


class Limits:
    """Counts by what is asked and who asks, in hours that begin with the first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._counts: OrderedDict[tuple[str, str], tuple[datetime, int]] = OrderedDict()

    def count(self, what: Text, who: str, most: int) -> None:
        """One more; raises TooMany when it is one too many."""
        now = self._clock.now()
        with self._lock:
            began, count = self._counts.pop((what.en, who), (now, 0))
            if now - began >= _HOUR:
                began, count = now, 0
            self._counts[what.en, who] = began, count + (count < most)
            while len(self._counts) > _MOST:
                self._counts.popitem(last=False)
        if count >= most:
            raise TooMany(what=what, most=most, seconds=int((began + _HOUR - now).total_seconds()) + 1)

    def add(self, what: Text, who: str, most: int) -> None:
        """One more, where it is too late to refuse."""
        with suppress(TooMany):
            self.count(what, who, most)

    def check(self, what: Text, who: str, most: int) -> None:
        """Raise TooMany when there is no room for one more; counts nothing."""
        now = self._clock.now()
        with self._lock:
            began, count = self._counts.get((what.en, who), (now, 0))
        left = began + _HOUR - now
        if count >= most and left > timedelta(0):
            raise TooMany(what=what, most=most, seconds=int(left.total_seconds()) + 1)
