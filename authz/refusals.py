"""Recording refusals of people who have not proved who they are, without letting them fill the log."""

import logging
from collections import Counter
from threading import Lock

from yinxin.act import Actor
from yinxin.errors import YinxinError
from yinxin.store import Store

_log = logging.getLogger("yinxin.authz")


class Refusals:
    """Records each refusal, up to `per_minute` of one actor and certificate in this process.

    What is beyond goes to the operator's log as a count: an attacker who could write entries at will could fill the
    disk, and then no act would be possible at all.
    """

    def __init__(self, store: Store, per_minute: int) -> None:
        self._store = store
        self._per_minute = per_minute
        self._lock = Lock()
        self._minute = 0
        self._counts: Counter[tuple[str, str | None]] = Counter()

    def record(self, actor: Actor, verb: str, subject: str, error: YinxinError) -> None:
        """Record `error`, unless an act did, or too many came in this minute."""
        if error.entry is None and self._room(actor):
            self._store.refuse(actor, verb, subject, error)

    def _room(self, actor: Actor) -> bool:
        minute = int(self._store.clock.now().timestamp()) // 60
        with self._lock:
            if minute != self._minute:
                self._tell()
                self._minute = minute
                self._counts.clear()
            key = actor.id, actor.certificate
            self._counts[key] += 1
            return self._counts[key] <= self._per_minute

    def _tell(self) -> None:
        for (actor, certificate), count in self._counts.items():
            if count > self._per_minute:
                beyond = count - self._per_minute
                _log.warning(
                    "%d refusals of %s (%s) within a minute were not recorded one by one",
                    beyond,
                    actor,
                    certificate,
                )
