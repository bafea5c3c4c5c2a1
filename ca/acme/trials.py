"""Challenges that this process is trying, and answers that are kept back for a moment until what came of one is written down.

A client that hears of its challenge once it was tried need not look in between. What is kept back costs no thread, only its
connection and a little memory, and is bounded in every way: by time, in all, and of one account to a single answer while that
account has a single challenge under way. So whoever proves many names one after the other has them tried side by side, and
nobody keeps others from this by having slow hosts.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock

from yinxin.web import Held, Reply

#: seconds for which an answer is kept back at the most; a host that is near answers sooner
MOMENT = 0.3
#: answers that one process keeps back at the same time
_MOST = 256


@dataclass(eq=False, slots=True)
class _Trial:
    """A challenge that is being tried, and whose answer waits for that."""

    account: str
    held: Held | None = None


class Trials:
    """Those of one process, shared by its threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: by authorization
        self._going: dict[str, _Trial] = {}
        self._of: Counter[str] = Counter()
        self._held = 0

    def begin(self, id_: str, account: str) -> None:
        """The challenge of an authorization is about to be tried; each `begin` is followed by an `end`."""
        with self._lock:
            if id_ not in self._going:
                self._going[id_] = _Trial(account)
                self._of[account] += 1

    def end(self, id_: str) -> None:
        """It was tried, or will be later; who waited is answered."""
        with self._lock:
            trial = self._going.pop(id_, None)
            if trial is None:
                return
            self._of[trial.account] -= 1
            if not self._of[trial.account]:
                del self._of[trial.account]
            held = trial.held  # its sender's moment may end meanwhile
        if held is not None:
            held.release()

    def hold(self, id_: str, tell: Callable[[], Reply]) -> Held | None:
        """Keep an answer back until the trial has ended, or a moment is over; None: it is to be given at once."""
        with self._lock:
            trial = self._going.get(id_)
            if trial is None or trial.held is not None or self._of[trial.account] > 1 or self._held >= _MOST:
                return None
            trial.held = held = Held(tell, MOMENT, partial(self._left, trial))
            self._held += 1
        return held

    def _left(self, trial: _Trial) -> None:
        """An answer is no longer kept back."""
        with self._lock:
            self._held -= 1
            trial.held = None
