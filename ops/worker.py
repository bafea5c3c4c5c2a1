"""gunicorn's threaded worker, taught that browsers open connections ahead of need.

A browser completes the TLS handshake on several connections and then says nothing on most of them. gunicorn's worker
would keep a thread waiting on each; a handful of browsers and nobody is served. Here a connection that is quiet after
its handshake goes back to the poller, and takes a thread again when its request comes. A client that asks one thing
after the other keeps its thread meanwhile: handing a connection to the poller and back costs as much as reading a request.
"""

import select
import socket
import ssl
from contextlib import suppress
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import ThreadWorker

#: seconds to wait for the beginning of a handshake, and, right after it, of a request, before the thread is given back
_GREETING = 1.0
_REQUEST = 0.05
#: and after an answer
_NEXT = 0.01


class Worker(ThreadWorker):  # type: ignore[misc]
    """`ThreadWorker` whose threads wait for nobody who is quiet."""

    def handle(self, conn: Any) -> Any:
        """Serve a connection that has something to say; true puts it back to the poller, as between two requests."""
        if not conn.initialized and conn.sock.family == socket.AF_UNIX:
            _begin_plainly(conn)
        elif not conn.initialized and conn.wait_for_data(_GREETING):
            try:
                conn.sock.setblocking(True)
                conn.init()
            except (ssl.SSLError, OSError):
                return False  # no handshake, no connection; who dribbles has been cut off by then
            conn.data_ready = False
            if not conn.sock.pending() and not conn.wait_for_data(_REQUEST):
                return True
        kept = super().handle(conn)
        # a busy client's next request is served by the same thread, while nobody else waits for one
        while kept is True and self._nobody_waits() and _goes_on(conn):
            kept = super().handle(conn)
        return kept

    def _nobody_waits(self) -> bool:
        """Whether no connection has come that found no thread."""
        return bool(self.tpool._work_queue.empty())  # noqa: SLF001 - the pool does not tell otherwise


def _goes_on(conn: Any) -> bool:
    """Whether the next request of a kept connection has begun, or does in a moment."""
    conn.data_ready = False
    pending = getattr(conn.sock, "pending", None)
    if pending and pending():
        return True
    # a poll of its own for each wait: gunicorn would make an epoll for it, and end it, which costs five times as much
    waiting = select.poll()
    with suppress(OSError, ValueError):  # the connection is closed
        waiting.register(conn.sock, select.POLLIN)
        return bool(waiting.poll(_NEXT * 1000))
    return False


def _begin_plainly(conn: Any) -> None:
    """On the proxy's socket TLS has ended already, so no handshake is waited for."""
    conn.initialized = True
    conn.sock.setblocking(True)
    conn.parser = http.get_parser(conn.cfg, conn.sock, conn.client)
