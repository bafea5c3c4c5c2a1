"""Threads that try challenges, beside the requests and the jobs: one that waits for a slow host holds up nobody else."""

import logging
import queue
import threading
from collections.abc import Callable

_log = logging.getLogger("yinxin.ca")

#: challenges that may wait in one process; what finds no room is taken up by the job
_MOST = 1000


class Validators:
    """Runs `work(id)` in at most `threads` threads, which are started when there is first something to do."""

    def __init__(self, work: Callable[[str], None], threads: int) -> None:
        self._work = work
        self._threads = threads
        self._queue: queue.Queue[str] = queue.Queue(_MOST)
        self._lock = threading.Lock()
        self._running: list[threading.Thread] = []

    def submit(self, id_: str) -> bool:
        """Have it tried soon; whether that will be, and not later only."""
        try:
            self._queue.put_nowait(id_)
        except queue.Full:
            _log.warning("no room for challenge %s now; it is tried later", id_)
            return False
        with self._lock:
            if len(self._running) < self._threads:
                thread = threading.Thread(target=self._run, name="acme-validator", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # the system has no more; the next challenge asks it again
                    _log.warning("no thread for challenge %s now (%s); it is tried later", id_, error)
                    return bool(self._running)
                self._running.append(thread)
        return True

    def idle(self) -> None:
        """Wait until everything submitted so far has been tried."""
        self._queue.join()

    def _run(self) -> None:
        while True:
            id_ = self._queue.get()
            try:
                self._work(id_)
            except Exception as error:  # noqa: BLE001 - the thread lives; the job takes the challenge up again
                _log.exception("challenge %s could not be tried now; it is tried later", id_, exc_info=error)
            finally:
                self._queue.task_done()
