"""Calls to several peers at the same time: a line on which nobody says a word holds up its own peer, and nobody else."""

import logging
import threading
from collections.abc import Callable, Iterable

_log = logging.getLogger("yinxin.exchange")
#: calls of this process at the same time
_MOST = 8


class Calls:
    """What is under way. A call that a process's end cuts off is made again by the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[str] = set()
        #: in which order peers were called last; whoever was not for longest has the next turn
        self._turns: dict[str, int] = {}
        self._turn = 0

    def begin(self, sites: Iterable[str], call: Callable[[str], object]) -> None:
        """Begin to call these, as many as there is room for; whoever is being called is not called again."""
        for site in sorted(sites, key=lambda each: self._turns.get(each, 0)):
            with self._lock:
                if len(self._under_way) >= _MOST:
                    return
                if site in self._under_way:
                    continue
                self._under_way.add(site)
                self._turn += 1
                self._turns[site] = self._turn
            threading.Thread(target=self._do, args=(site, call), name=f"exchange-{site}", daemon=True).start()

    def _do(self, site: str, call: Callable[[str], object]) -> None:
        try:
            call(site)
        except Exception:  # noqa: BLE001 - whatever it is, the other peers are called, and this one again
            _log.exception("calling %s failed", site)
        finally:
            with self._lock:
                self._under_way.discard(site)
