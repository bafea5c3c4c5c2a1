"""Group commit: whoever asks while others are being served is served next, together with everybody who did the same.

Who finds the way free is served at once, alone. Only where the last group was of several does the next one give the same
several a moment to come back (`PATIENCE`; PostgreSQL's `commit_delay` and `commit_siblings` are the same thought). The thread of the first in a group does the work for the group
and then hands on to the first of those who came meanwhile, so that no thread serves others for long.

Who reads many connections in one thread brings the wishes of several to a `Window` at once, and nobody waits in a thread.
"""

from _thread import LockType as Lock
from _thread import allocate_lock
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import Generic, TypeVar

#: seconds that a group waits, at most, for as many as the last one had
PATIENCE = 0.004

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")


def _held() -> Lock:
    lock = allocate_lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Place(Generic[Wish, Answer]):
    """Somebody's place in the queue."""

    wish: Wish
    answer: Answer | None = None
    leads: bool = False
    #: held until it is called: a bare lock, for an event costs several times as much and is made for each wish
    called: Lock = field(default_factory=_held)


class Gatherer(Generic[Wish, Answer]):
    """The queue of one process, shared by its threads; `most` go together."""

    def __init__(self, most: int, patience: float = PATIENCE) -> None:
        self._most = most
        self._patience = patience
        self._lock = Condition()
        self._busy = False
        #: how many the last group had
        self._last = 1
        self._waiting: list[_Place[Wish, Answer]] = []

    def join(self, wish: Wish, serve: Callable[[Sequence[Wish]], Sequence[Answer | None]]) -> Answer | None:
        """What `serve` answers to the wish, called by this thread or another, for it alone or for several.

        None when it has none, or was ended by an exception in another's thread; in its own the exception is raised.
        """
        place = _Place[Wish, Answer](wish)
        with self._lock:
            self._waiting.append(place)
            place.leads, self._busy = not self._busy, True
            if len(self._waiting) >= self._last:
                self._lock.notify()
        if not place.leads:
            place.called.acquire()
        return self._lead(serve) if place.leads else place.answer

    def _lead(self, serve: Callable[[Sequence[Wish]], Sequence[Answer | None]]) -> Answer | None:
        with self._lock:
            if self._last > 1:
                self._lock.wait_for(lambda: len(self._waiting) >= self._last, self._patience)
            # the first of them is the leader's own
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            self._last = len(group)
        try:
            for place, answer in zip(group, serve([each.wish for each in group]), strict=True):
                place.answer = answer
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._busy = bool(following)
            for place in following:
                place.leads = True
            for place in (*group[1:], *following):
                place.called.release()
        return group[0].answer


class Window(Generic[Wish, Answer]):
    """Where wishes of one kind are served in groups: one wish by the thread that brings it, or several that one thread brings.

    `serve` answers each wish of a group, None to one that has no answer here; it is called by several threads.
    """

    def __init__(self, most: int, serve: Callable[[Sequence[Wish]], Sequence[Answer | None]]) -> None:
        self.most = most
        self.serve = serve
        self.gatherer: Gatherer[Wish, Answer] = Gatherer(most)

    def join(self, wish: Wish) -> Answer | None:
        """As `Gatherer.join`."""
        return self.gatherer.join(wish, self.serve)
