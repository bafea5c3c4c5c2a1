"""Group commit: whoever asks while others are being served is served next, together with everybody who did the same.

Nobody waits for company: who finds the way free is served at once, alone. The thread of the first in a group does the
work for the group and then hands on to the first of those who came meanwhile, so that no thread serves others for long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Place(Generic[Wish, Answer]):
    """Somebody's place in the queue."""

    wish: Wish
    answer: Answer | None = None
    leads: bool = False
    called: Event = field(default_factory=Event)


class Gatherer(Generic[Wish, Answer]):
    """The queue of one process, shared by its threads; `most` go together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._busy = False
        self._waiting: list[_Place[Wish, Answer]] = []

    def join(self, wish: Wish, serve: Callable[[Sequence[Wish]], Sequence[Answer | None]]) -> Answer | None:
        """What `serve` answers to the wish, called by this thread or another, for it alone or for several.

        None when it has none, or was ended by an exception in another's thread; in its own the exception is raised.
        """
        place = _Place[Wish, Answer](wish)
        with self._lock:
            self._waiting.append(place)
            place.leads, self._busy = not self._busy, True
        if not place.leads:
            place.called.wait()
        return self._lead(serve) if place.leads else place.answer

    def _lead(self, serve: Callable[[Sequence[Wish]], Sequence[Answer | None]]) -> Answer | None:
        with self._lock:
            # the first of them is the leader's own
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
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
                place.called.set()
        return group[0].answer
