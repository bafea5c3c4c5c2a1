"""gunicorn's threaded worker, taught that browsers open connections ahead of need.

A browser completes the TLS handshake on several connections and then says nothing on most of them. gunicorn's worker
would keep a thread waiting on each; a handful of browsers and nobody is served. Here a connection that is quiet after
its handshake goes back to the poller, and takes a thread again when its request comes.
"""

import socket
import ssl
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import ThreadWorker

#: seconds to wait for the beginning of a handshake, and, right after it, of a request, before the thread is given back
_GREETING = 1.0
_REQUEST = 0.05


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
        return super().handle(conn)


def _begin_plainly(conn: Any) -> None:
    """On the proxy's socket TLS has ended already, so no handshake is waited for."""
    conn.initialized = True
    conn.sock.setblocking(True)
    conn.parser = http.get_parser(conn.cfg, conn.sock, conn.client)
