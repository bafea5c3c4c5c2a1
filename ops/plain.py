"""The plain port: one loop that answers what is kept ready, and hands every other connection to waitress.

A request that the loop knows – a GET, or a POST with a length, for status that is kept – is answered by it in a few
microseconds, without a thread, a WSGI environment or Flask. Anything else about a connection (another path, a chunked
body, a nonce, an odd header) makes it waitress's from then on, with what was read of it so far.
"""

import logging
import select
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from waitress import wasyncore
from waitress.server import TcpWSGIServer

from yinxin.web.counts import Counts, face_of

_log = logging.getLogger("yinxin.server")

#: octets of a request's head, and of a body that the loop still takes
_HEAD, _BODY = 8192, 4096
#: seconds for a request to arrive, and for a connection to say nothing
PATIENCE, QUIET = 60.0, 30.0
#: connections that the loop keeps; the one that has been quiet longest goes first
MOST = 2000
_READ = 65536


class Answer(Protocol):
    """An answer that is complete but for its date."""

    @property
    def head(self) -> bytes: ...
    @property
    def body(self) -> bytes: ...
    @property
    def etag(self) -> bytes: ...


class Ready(Protocol):
    """What can be answered at once (`ca.status.face.Front`)."""

    def look(self) -> None:
        """Prove that what is kept still holds; raises when it cannot be proven."""

    def get(self, target: bytes) -> Answer | None: ...

    def post(self, target: bytes, body: bytes) -> Answer | None: ...

    def date(self) -> bytes: ...


class Handed(TcpWSGIServer):  # type: ignore[misc]
    """waitress without a listener: its connections come from the loop."""

    def __init__(self, application: Any, where: tuple[str, int], **settings: Any) -> None:
        self._where = where
        self._given: deque[tuple[socket.socket, Any, bytes]] = deque()
        self._bell, ours = socket.socketpair()
        self._bell.setblocking(False)
        self._ended = False
        super().__init__(application, _sock=ours, bind_socket=False, listen="127.0.0.1:0", **settings)

    def set_reuse_addr(self) -> None:
        """A socket pair has no address."""

    def getsockname(self) -> tuple[str, str]:
        return self._where[0], str(self._where[1])

    def accept_connections(self) -> None:
        self.accepting = True

    def end(self) -> None:
        """Stop serving."""
        self.task_dispatcher.shutdown()
        self._ended = True
        self._bell.send(b"\0")

    def take(self, connection: socket.socket, address: Any, read: bytes) -> None:
        """Serve this connection from now on, beginning with what was `read` of it; may be called by any thread."""
        self._given.append((connection, address, read))
        with suppress(BlockingIOError):  # then it has been rung often enough
            self._bell.send(b"\0")

    def handle_accept(self) -> None:
        self.socket.recv(_READ)
        if self._ended:
            wasyncore.close_all(self._map)
            self._bell.close()
            return
        while self._given:
            connection, address, read = self._given.popleft()
            try:
                self.set_socket_options(connection)
                channel = self.channel_class(self, connection, address, self.adj, map=self._map)
                channel.received(read)
            except OSError:
                connection.close()


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    address: Any
    #: when its present request must be complete, or its silence ends
    until: float
    read: bytearray = field(default_factory=bytearray)
    unsent: bytes = b""
    closing: bool = False


class PlainPort(threading.Thread):
    """The loop; one thread, which waits for nobody."""

    def __init__(
        self, listener: socket.socket, ready: Ready, handed: Handed, counts: Counts | None = None
    ) -> None:
        """`counts` is told what the loop answers itself; what it hands over is counted there."""
        super().__init__(name="plain-port", daemon=True)
        self._listener, self._ready, self._handed = listener, ready, handed
        self._counts = counts or Counts()
        listener.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(listener.fileno(), select.EPOLLIN)
        self._connections: dict[int, _Connection] = {}
        self._date = b""
        self._swept = 0.0
        self._ending = False

    def close(self) -> None:
        """Stop; returns when the loop has ended and its connections are closed."""
        self._ending = True
        self.join()
        for connection in list(self._connections.values()):
            self._close(connection)
        self._poll.close()

    def run(self) -> None:
        while not self._ending:
            try:
                self._round()
            except Exception:  # noqa: BLE001 - the port must outlive whatever one round meets
                _log.exception("a round of the plain port failed")

    def _round(self) -> None:
        """Everything that has come in is read first; one look then proves for all of it what may be answered."""
        events = self._poll.poll(1.0)
        now = time.monotonic()
        heard = []
        for descriptor, event in events:
            connection = self._connections.get(descriptor)
            if connection is None:
                self._accept(now)
            elif event & select.EPOLLOUT:
                if self._flush(connection):
                    heard.append(connection)
            elif self._hear(connection, now):
                heard.append(connection)
        if heard:
            try:
                self._ready.look()
                proven = True
            except Exception:  # noqa: BLE001 - whatever keeps it from being proven, nothing is served unproven
                _log.exception("what is kept ready cannot be proven; requests are answered one by one")
                proven = False
            self._date = self._ready.date()
            for connection in (each for each in heard if each.socket.fileno() >= 0):
                self._serve(connection, now, proven=proven)
        if now - self._swept > 1.0:
            self._sweep(now)

    def _accept(self, now: float) -> None:
        for _ in range(64):
            try:
                accepted, address = self._listener.accept()
            except OSError:
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if len(self._connections) >= MOST:
                self._close(min(self._connections.values(), key=lambda each: each.until))
            self._connections[accepted.fileno()] = _Connection(accepted, address, now + QUIET)
            self._poll.register(accepted.fileno(), select.EPOLLIN)

    def _hear(self, connection: _Connection, now: float) -> bool:
        try:
            got = connection.socket.recv(_READ)
        except BlockingIOError:
            return False
        except OSError:
            got = b""
        if not got:
            self._close(connection)
            return False
        if not connection.read:
            connection.until = now + PATIENCE
        connection.read += got
        return True

    def _serve(self, connection: _Connection, now: float, *, proven: bool) -> None:
        """Answer every complete request in turn, in as few writes as can be."""
        out: list[bytes] = []
        mine = True
        while connection.read and not connection.closing:
            found = _request(connection.read)
            if found is None:
                break
            size, answer = found if proven else (0, None)
            made = self._answer(answer) if answer else None
            if made is None:
                mine = False
                break
            out.append(made)
            connection.closing = answer is not None and answer.last
            del connection.read[:size]
            connection.until = now + (PATIENCE if connection.read else QUIET)
        connection.unsent += b"".join(out)
        if self._flush(connection) and not mine:
            self._hand_over(connection)

    def _answer(self, asked: "_Asked") -> bytes | None:
        kept = (
            self._ready.get(asked.target)
            if asked.body is None
            else self._ready.post(asked.target, asked.body)
        )
        if kept is None:
            return None
        close = b"Connection: close\r\n" if asked.last else b""
        # only what is kept gets here, so that there are as many faces as sorts of it
        face = face_of(asked.target.decode("latin-1"))
        self._counts.answered(face, "304" if asked.condition == kept.etag else "200")
        if asked.condition == kept.etag:
            head = kept.head.replace(b"\r\nContent-Length: %d" % len(kept.body), b"")
            return b"HTTP/1.1 304 Not Modified\r\n%bDate: %b\r\n%b\r\n" % (head, self._date, close)
        return b"HTTP/1.1 200 OK\r\n%bDate: %b\r\n%b\r\n%b" % (kept.head, self._date, close, kept.body)

    def _flush(self, connection: _Connection) -> bool:
        """Send what is to be sent; true when nothing is left and the connection lives."""
        if connection.unsent:
            waited = len(connection.unsent)
            try:
                sent = connection.socket.send(connection.unsent)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._close(connection)
                return False
            connection.unsent = connection.unsent[sent:]
            if sent < waited:
                # nothing more is read from whoever does not read
                self._poll.modify(connection.socket.fileno(), select.EPOLLOUT)
                return False
            self._poll.modify(connection.socket.fileno(), select.EPOLLIN)
        if connection.closing:
            self._close(connection)
            return False
        return True

    def _hand_over(self, connection: _Connection) -> None:
        descriptor = connection.socket.fileno()
        self._poll.unregister(descriptor)
        del self._connections[descriptor]
        self._handed.take(connection.socket, connection.address, bytes(connection.read))

    def _close(self, connection: _Connection) -> None:
        self._connections.pop(connection.socket.fileno(), None)
        connection.socket.close()

    def _sweep(self, now: float) -> None:
        self._swept = now
        for connection in [each for each in self._connections.values() if each.until < now]:
            self._close(connection)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that the loop understands; `body` is None for GET."""

    target: bytes
    body: bytes | None
    #: the connection ends with the answer
    last: bool
    condition: bytes | None


def _request(read: bytearray) -> tuple[int, _Asked | None] | None:
    """The first request in what was read: its size and itself; None while it is incomplete.

    A request that the loop does not take is given as (0, None).
    """
    end = read.find(b"\r\n\r\n")
    if end < 0:
        return None if len(read) < _HEAD else (0, None)
    line, _, rest = bytes(read[:end]).partition(b"\r\n")
    method, _, more = line.partition(b" ")
    target, _, version = more.partition(b" ")
    headers = b"\r\n" + rest.lower()
    if (
        version not in (b"HTTP/1.1", b"HTTP/1.0")
        or b"\r\ntransfer-encoding" in headers
        or b"\r\nexpect" in headers
    ):
        return 0, None
    length = _header(headers, b"content-length")
    last = version == b"HTTP/1.0" or b"\r\nconnection: close" in headers
    if method == b"GET" and length in (None, b"0"):
        condition = _header(b"\r\n" + rest, b"If-None-Match") or _header(headers, b"if-none-match")
        return end + 4, _Asked(target, None, last, condition)
    if method != b"POST" or length is None or not length.isdigit() or len(length) > 4 or int(length) > _BODY:
        return 0, None
    size = end + 4 + int(length)
    if len(read) < size:
        return None
    return size, _Asked(target, bytes(read[end + 4 : size]), last, None)


def _header(headers: bytes, name: bytes) -> bytes | None:
    """The value of a header that is given once."""
    _, found, after = headers.partition(b"\r\n" + name + b":")
    if not found:
        return None
    value, _, more = after.partition(b"\r\n")
    # given twice it may mean two things: an empty value is none that the loop takes
    return b"" if b"\r\n" + name + b":" in b"\r\n" + more else value.strip(b" \t")
