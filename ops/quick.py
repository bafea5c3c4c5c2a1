"""The quick way below WSGI: the poller's thread reads many connections and brings what they ask to a window together.

A thread, an environment and an application for each request cost more than what is asked there. A kept connection over TLS whose
next request is a plain one (`ops.recognise`), for an operation with a quick way (`yinxin.web.quick`), by a caller who is
known already, or that is believed by its own signature (`yinxin.web.signed`), is read here; those who came in one round of the poller, and while the group before them was served, are served as
one group. Whatever else a connection says goes to a thread with every octet that was read of it, and is read there anew.

A connection belongs to one thread at a time: to the poller's while nothing is asked on it, to its window's until the answer is
sent; while that is kept back (`yinxin.web.signed.Held`) to none, and then to the one that releases it. What it says meanwhile waits.
"""

import logging
import ssl
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread
from typing import Any, Protocol

from gunicorn.util import http_date

from ops.recognise import Head, recognise
from yinxin.gather import PATIENCE, Window
from yinxin.web import Begun, Held, Plain, QuickLayer, SignedBegun, SignedLayer, status_line

_log = logging.getLogger("yinxin.server")

#: octets asked of a connection at once: a TLS record has no more
_READ = 1 << 14
#: seconds in which a body must have come
_BODY = 60.0
_ANSWER = b"HTTP/1.1 %b\r\nServer: gunicorn\r\nDate: %b\r\nConnection: keep-alive\r\n%b"


class House(Protocol):
    """What is needed of the worker. All but `later` is called by the poller's thread alone."""

    @property
    def alive(self) -> bool:
        """Whether it goes on serving."""
        ...

    @property
    def keepalive(self) -> float:
        """Seconds for which a quiet connection is kept."""
        ...

    def later(self, call: Any, *arguments: Any) -> None:
        """Have the poller's thread call this; called by any thread."""
        ...

    def apart(self, call: Any, *arguments: Any) -> None:
        """Have a thread of the pool call this."""
        ...

    def watch(self, conn: Any) -> None:
        """Tell when a kept connection has something to say."""
        ...

    def ignore(self, conn: Any) -> None:
        """Do not, for now."""
        ...

    def hand_over(self, conn: Any) -> None:
        """Let a thread serve a kept connection."""
        ...

    def drop(self, conn: Any) -> None:
        """Close a kept connection."""
        ...


class Layer(Protocol):
    """Who writes the answer of a request that was begun: `QuickLayer` or `SignedLayer`, each of its own."""

    def answer(self, begun: Any, given: Any) -> bytes | None:
        """What to send after the status, which `begun` has then; None: the ordinary way."""
        ...


@dataclass(slots=True)
class _Going:
    """A request on its way, and the octets it was sent as."""

    conn: Any
    begun: Begun | SignedBegun
    layer: Layer
    sent: bytes


class Crowd:
    """Those who go the quick way on the connections of one worker. Called by the poller's thread alone."""

    def __init__(self, layer: QuickLayer, signed: SignedLayer, house: House) -> None:
        self._layer = layer
        self._signed = signed
        self._house = house
        self._clerks: dict[int, Clerk] = {}
        self._came: dict[int, list[_Going]] = {}

    def concerns(self, method: str, path: str) -> bool:
        """Whether there is a quick way there."""
        return method == "POST" and any(each.at(path, 0) is not None for each in (self._layer, self._signed))

    def read(self, conn: Any) -> bool:
        """Read what a kept connection says; false where a thread has to, with what was read of it."""
        if getattr(conn, "going", False):
            # its answer first; what it says meanwhile waits, unread
            self._house.ignore(conn)
            conn.ignored = True
            if not conn.going:
                self._again(conn)
            return True
        if not isinstance(conn.sock, ssl.SSLSocket) or not self._house.alive:
            return False
        heard: bytearray = getattr(conn, "heard", None) or bytearray()
        try:
            head = _hear(conn.sock, heard)
        except OSError:  # it has ended, one way or another
            self._house.drop(conn)
            return True
        conn.heard = None
        if not heard:
            return True
        if head is None or (going := self._begun(conn, head, heard)) is None:
            conn.since = None
            conn.parser.unreader.unread(bytes(heard))
            return False
        if isinstance(going, _Going):
            window = going.begun.wished.window
            self._came.setdefault(id(window), []).append(going)
            if id(window) not in self._clerks:
                self._clerks[id(window)] = Clerk(window, going.layer, self._house)
            conn.going = True
        return True

    def bring(self) -> None:
        """Bring those who came to their windows."""
        for window, came in self._came.items():
            self._clerks[window].take(came)
        self._came.clear()

    def end(self) -> None:
        """Answer nobody any more."""
        for clerk in self._clerks.values():
            clerk.ended = True

    def _begun(self, conn: Any, head: Head, heard: bytearray) -> _Going | bool | None:
        """The request on its way; true while its body is still coming; None where it goes the ordinary way."""
        layer = self._signed if head.signed else self._layer
        if layer.at(head.target, head.length) is None or len(heard) > head.size + head.length:
            return None  # or the next request has begun already
        if len(heard) < head.size + head.length:
            conn.heard = heard
            if getattr(conn, "since", None) is None:
                conn.since = time.monotonic()
            conn.timeout = conn.since + _BODY
            return True
        conn.since = None
        sent = bytes(heard)
        begun = self._signed_by_itself(head, sent) if head.signed else self._of_a_caller(conn, head, sent)
        return None if begun is None else _Going(conn, begun, layer, sent)

    def _signed_by_itself(self, head: Head, sent: bytes) -> SignedBegun | None:
        face = self._signed.at(head.target, head.length)
        body = sent[head.size :]
        return None if face is None else self._signed.begin(face, head.target, head.host, body)

    def _of_a_caller(self, conn: Any, head: Head, sent: bytes) -> Begun | None:
        found = self._layer.at(head.target, head.length)
        if found is None:
            return None
        if (peer := getattr(conn, "peer", None)) is None:
            # for the connection's life: neither side may renegotiate (PROTOCOL_TLS_SERVER)
            peer = conn.peer = conn.sock.getpeercert(binary_form=True) or b""
        plain = Plain(found, head.target, head.authorization, peer, head.host, "https", head.idempotency_key)
        return self._layer.begin(plain, sent[head.size :])

    def _again(self, conn: Any) -> None:
        again(self._house, conn)


def _hear(sock: ssl.SSLSocket, heard: bytearray) -> Head | None:
    """Read on until a whole plain request is there, what comes is none, or nothing more has come; its head.

    Raises OSError where the connection has ended.
    """
    head: Head | None = None
    with suppress(ssl.SSLWantReadError):
        while head is None or len(heard) < head.size + head.length:
            got = sock.recv(_READ)
            if not got:
                raise ConnectionResetError
            heard += got
            if head is None and (head := recognise(heard)) is None:
                return None
    return head or recognise(heard)


def again(house: House, conn: Any) -> None:
    """Look again at a connection that was ignored; for the poller's thread."""
    if getattr(conn, "ignored", False):
        conn.ignored = False
        with suppress(OSError, ValueError, KeyError):  # closed meanwhile
            house.watch(conn)


class Clerk(Thread):
    """The thread behind a window: serves those who came as one group, and sends each its answer."""

    def __init__(self, window: Window[Any, Any], layer: Layer, house: House) -> None:
        super().__init__(name="quick", daemon=True)
        self._window = window
        self._layer = layer
        self._house = house
        self._lock = Condition()
        self._waiting: list[_Going] = []
        #: what is kept back, and until when; used by this thread alone
        self._kept: deque[tuple[float, Held]] = deque()
        #: how many the last group had
        self._last = 1
        self._date = (-1, b"")
        self.ended = False
        self.start()

    def take(self, came: Sequence[_Going]) -> None:
        """Serve these, soon."""
        with self._lock:
            self._waiting += came
            self._lock.notify()

    def run(self) -> None:
        """Serve group after group."""
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._waiting, self._patience())
                if self._waiting and self._last > 1:
                    # as `yinxin.gather` does: the same several have a moment to come back
                    self._lock.wait_for(lambda: len(self._waiting) >= self._last, PATIENCE)
                group = self._waiting[: self._window.most]
                del self._waiting[: self._window.most]
                self._last = len(group) or self._last
            self._release()
            if group:
                self._serve(group)

    def _patience(self) -> float | None:
        """Seconds until the next answer is kept back no longer; None where none is."""
        while self._kept and self._kept[0][1].released:
            self._kept.popleft()
        return max(self._kept[0][0] - time.monotonic(), 0.0) if self._kept else None

    def _release(self) -> None:
        """Send what was kept back for long enough."""
        now = time.monotonic()
        while self._kept and (self._kept[0][1].released or self._kept[0][0] <= now):
            self._kept.popleft()[1].release()

    def _serve(self, group: Sequence[_Going]) -> None:
        try:
            given = self._window.serve([each.begun.wished.wish for each in group])
        except Exception:  # noqa: BLE001 - whatever it was, each finds its own reason on the ordinary way
            _log.exception("%d requests failed together and go alone", len(group))
            given = [None] * len(group)
        for going, answer in zip(group, given, strict=True):
            if isinstance(answer, Held):
                self._kept.append((time.monotonic() + answer.seconds, answer))
                answer.then(partial(self._tell, going))
            else:
                self._tell(going, answer)

    def _tell(self, going: _Going, answer: Any) -> None:
        """Send an answer; also called by the thread that released it."""
        if self.ended:
            return
        try:
            told = self._layer.answer(going.begun, answer)
        except Exception:  # noqa: BLE001 - it finds its reason on the ordinary way
            _log.exception("an answer could not be told")
            told = None
        if told is None:
            self._house.later(self._ordinarily, going)
        else:
            status = status_line(going.begun.status).encode()
            self._send(going.conn, _ANSWER % (status, self._dated(), told))

    def _send(self, conn: Any, answer: bytes) -> None:
        try:
            sent = conn.sock.send(answer)
        except ssl.SSLWantWriteError:
            sent = 0
        except OSError:
            sent = len(answer)  # its end is noticed by the poller
        if sent < len(answer):
            self._house.apart(self._send_rest, conn, answer[sent:])
        else:
            self._answered(conn)

    def _send_rest(self, conn: Any, rest: bytes) -> None:
        """To somebody who reads slowly, for as long as the server has patience."""
        try:
            conn.sock.setblocking(True)
            conn.sock.sendall(rest)
            conn.sock.setblocking(False)
        except OSError:
            with suppress(OSError):
                conn.sock.shutdown(2)
        self._answered(conn)

    def _answered(self, conn: Any) -> None:
        conn.timeout = time.monotonic() + self._house.keepalive
        conn.going = False
        if getattr(conn, "ignored", False):
            self._house.later(again, self._house, conn)

    def _ordinarily(self, going: _Going) -> None:
        conn = going.conn
        conn.going = False
        conn.parser.unreader.unread(going.sent)
        again(self._house, conn)
        self._house.hand_over(conn)

    def _dated(self) -> bytes:
        second, date = int(time.monotonic()), self._date
        if date[0] != second:
            date = self._date = second, http_date().encode()
        return date[1]
