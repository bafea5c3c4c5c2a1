"""gunicorn's threaded worker, taught that browsers open connections ahead of need, and that some requests come in crowds.

A browser completes the TLS handshake on several connections and then says nothing on most of them. gunicorn's worker
would keep a thread waiting on each; a handful of browsers and nobody is served. Here a connection that is quiet after
its handshake goes back to the poller, and takes a thread again when its request comes. A client that asks one thing
after the other keeps its thread meanwhile: handing a connection to the poller and back costs as much as reading a request.

Requests for operations with a quick way take no thread at all (`ops.quick`): the poller's thread reads them.
"""

import select
import selectors
import socket
import ssl
import time
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import ThreadWorker

from ops.quick import Crowd
from yinxin.web import QUICK, SIGNED

#: seconds to wait for the beginning of a handshake, and, right after it, of a request, before the thread is given back
_GREETING = 1.0
_REQUEST = 0.05
#: and after an answer
_NEXT = 0.01


class Worker(ThreadWorker):  # type: ignore[misc]
    """`ThreadWorker` whose threads wait for nobody who is quiet."""

    #: those who go the quick way; None where the application has none
    crowd: Crowd | None = None

    def run(self) -> None:
        """Serve until stopped."""
        known = getattr(self.wsgi, "extensions", {})
        if QUICK in known:
            self.crowd = Crowd(known[QUICK], known[SIGNED], self)
        try:
            super().run()
        finally:
            if self.crowd is not None:
                self.crowd.end()

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
        while kept is True and not self._may_crowd(conn) and self._nobody_waits() and _goes_on(conn):
            kept = super().handle(conn)
        return kept

    def _may_crowd(self, conn: Any) -> bool:
        """Whether the connection's last request was for an operation with a quick way: the next may need no thread."""
        asked = getattr(conn.parser, "mesg", None)
        return self.crowd is not None and asked is not None and self.crowd.concerns(asked.method, asked.path)

    def _nobody_waits(self) -> bool:
        """Whether no connection has come that found no thread."""
        return bool(self.tpool._work_queue.empty())  # noqa: SLF001 - the pool does not tell otherwise

    # --- the poller's thread ------------------------------------------------------------------------------------

    @property
    def keepalive(self) -> float:
        """Seconds for which a quiet connection is kept."""
        return float(self.cfg.keepalive)

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:  # noqa: ARG002 - gunicorn's own signature
        """A kept connection has something to say: on the quick way, or to a thread."""
        descriptor = conn.sock.fileno()
        known = self.poller.get_map().get(descriptor) if descriptor >= 0 else None
        if known is None or known.fileobj is not conn.sock:
            return  # handed over or closed by something else in the same round
        try:
            read = self.crowd is not None and self.crowd.read(conn)
        except Exception:
            self.log.exception("A connection could not be read.")
            self.drop(conn)
            return
        if not read:
            self.hand_over(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """A thread is done with a connection.

        Whoever is not kept is lingered on (RFC 9112 9.6) apart, so that nobody who stays holds up the poller's thread; of whoever
        is, TLS may have read already what no poller would tell.
        """
        if not fs.cancelled() and fs.exception() is None and fs.result() is False:
            self.nr_conns -= 1
            self.apart(conn.close, True)
            return
        super().finish_request(conn, fs)
        if self.keepalived_conns and self.keepalived_conns[-1] is conn:
            pending = getattr(conn.sock, "pending", None)
            if pending and pending():
                self.on_client_socket_readable(conn, conn.sock)

    def later(self, call: Any, *arguments: Any) -> None:
        """Have the poller's thread call this; called by any thread."""
        self.method_queue.defer(call, *arguments)

    def apart(self, call: Any, *arguments: Any) -> None:
        """Have a thread of the pool call this."""
        self.tpool.submit(call, *arguments)

    def watch(self, conn: Any) -> None:
        """Tell when a kept connection has something to say."""
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn))

    def ignore(self, conn: Any) -> None:
        """Do not, for now."""
        self.poller.unregister(conn.sock)

    def hand_over(self, conn: Any) -> None:
        """Let a thread of the pool serve a connection that was kept."""
        if self._keep_no_more(conn):
            self.enqueue_req(conn)

    def drop(self, conn: Any) -> None:
        """Close a connection that was kept."""
        if self._keep_no_more(conn):
            self.nr_conns -= 1
            conn.close()

    def _keep_no_more(self, conn: Any) -> bool:
        """Whether it was kept until now."""
        with suppress(KeyError, ValueError):  # it is ignored
            self.poller.unregister(conn.sock)
        try:
            self.keepalived_conns.remove(conn)
        except ValueError:
            return False
        return True

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """One round of the poller; those who came in it on the quick way are brought to their windows together."""
        super().wait_for_and_dispatch_events(timeout)
        if self.crowd is not None:
            self.crowd.bring()

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's own signature
        """Close kept connections that have been quiet for too long, or all of them.

        They stand in the order in which they were kept; one that was heard of since goes to the end again.
        """
        now = time.monotonic()
        for _ in range(len(self.keepalived_conns)):
            conn = self.keepalived_conns[0]
            if min(conn.timeout, getattr(conn, "looked_at", conn.timeout)) > now and not force:
                return
            if (conn.timeout > now or getattr(conn, "going", False)) and not force:
                self.keepalived_conns.rotate(-1)
                conn.looked_at = now + self.keepalive
            else:
                self.drop(conn)


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
