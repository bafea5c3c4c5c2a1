"""Operational logs to an agent on this machine, by fluent-logger: best effort, bounded, never waited for.

Lines wait in a queue of their own and a thread sends them, because the library waits up to three seconds for an agent
that does not answer. What finds no room is dropped and counted: where the queue is full, and where the library's
buffer overflows. The library has no acknowledgement: what an agent took and lost nobody counts. The audit log goes
another way (`connection.py`).
"""

import logging
import queue
import threading
from typing import Any

import msgpack
from fluent.sender import EventTime, FluentSender

from audit.forward.settings import OperationalSettings

#: the loggers of the house
_HOUSE = "yinxin"
#: seconds that the library waits for the agent
_PATIENCE = 3.0


class _Handler(logging.Handler):
    def __init__(self, logs: "OperationalLogs") -> None:
        super().__init__()
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = {
                "site": self._logs.site,
                "level": record.levelname,
                "logger": record.name,
                "message": record.getMessage(),
                "thread": record.threadName or "",
                "process": record.process or 0,
            }
            if record.exc_info and record.exc_info[0] is not None:
                event["exception"] = (self.formatter or logging.Formatter()).formatException(record.exc_info)
            self._logs.put(record.created, event)
        except Exception:  # noqa: BLE001 - a line that cannot be formatted must not stop what it tells of
            self.handleError(record)


class OperationalLogs:
    """This process's operational logs, once started."""

    def __init__(self, settings: OperationalSettings, site: str) -> None:
        self.site = site
        self._settings = settings
        self._queue: queue.Queue[tuple[float, dict[str, Any]] | None] = queue.Queue(settings.waiting)
        self._handler = _Handler(self)
        self._handler.setLevel(settings.level)
        self._lock = threading.Lock()
        self._dropped = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Send what the house logs from now on; nothing when no agent is configured."""
        if not self._settings.host or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="operational-logs", daemon=True)
        self._thread.start()
        logging.getLogger(_HOUSE).addHandler(self._handler)

    def close(self) -> None:
        """Stop, after what waits was given to the agent or counted as dropped."""
        if self._thread is None:
            return
        logging.getLogger(_HOUSE).removeHandler(self._handler)
        self._closing.set()
        self._queue.put(None)
        self._thread.join()
        self._thread = None

    def put(self, at: float, event: dict[str, Any]) -> None:
        """Take a line, or drop and count it; never waits."""
        try:
            self._queue.put_nowait((at, event))
        except queue.Full:
            self._drop(1)

    def take_dropped(self) -> int:
        """How many lines were dropped since this was last asked."""
        with self._lock:
            count, self._dropped = self._dropped, 0
        return count

    def _run(self) -> None:
        given = self._settings
        sender = FluentSender(
            given.tag,
            host=given.host,
            port=given.port,
            bufmax=given.buffer,
            timeout=_PATIENCE,
            nanosecond_precision=True,
            buffer_overflow_handler=self._overflow,
        )
        gone = False
        while (waiting := self._queue.get()) is not None:
            at, event = waiting
            if gone:
                self._drop(1)
                continue
            taken = sender.emit_with_time("", EventTime.from_unix_nano(int(at * 1_000_000) * 1000), event)
            # at the end nobody waits three seconds a line for an agent that does not answer
            gone = not taken and self._closing.is_set()
        sender.close()

    def _overflow(self, pending: bytes) -> None:
        """The library throws its whole buffer away: so many lines."""
        unpacker = msgpack.Unpacker(raw=True, max_buffer_size=0)
        unpacker.feed(pending)
        self._drop(sum(1 for _ in unpacker))

    def _drop(self, count: int) -> None:
        with self._lock:
            self._dropped += count
