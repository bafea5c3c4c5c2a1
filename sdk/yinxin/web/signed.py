"""The quick way of requests that are believed by their own signature, and not by a session: past the framework.

A face of such requests (ACME's) says of each whether it can be judged here, and brings it to a window where those who came together are
served together. It answers to the same octets as on the ordinary way. What is anything but ordinary goes that way, with nothing
done for it and nothing spent: so whoever is a stranger here, and whatever is wrong with a request before it is believed, is met
and recorded there alone.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

from yinxin.gather import Window
from yinxin.web._kit import Kit
from yinxin.web.counts import face_of
from yinxin.web.headers import SECURITY_HEADERS, TRANSPORT_SECURITY
from yinxin.web.problems import MEDIA_TYPE as PROBLEM

_log = logging.getLogger("yinxin.server")

#: the application's extension that is this way
SIGNED = "yinxin.signed"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in full: its status, the fields that are its own, and the body."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    #: identifiers of what was recorded for it
    entries: tuple[str, ...] = ()


class Held:
    """An answer that is kept back until it is released: by what it waits for, or by its sender once `seconds` are over.

    `tell` makes it then; `left` hears that nobody waits any more. No thread waits meanwhile.
    """

    def __init__(self, tell: Callable[[], Reply], seconds: float, left: Callable[[], None]) -> None:
        self.seconds = seconds
        self._tell = tell
        self._left = left
        self._lock = Lock()
        self._released = False
        self._send: Callable[[Reply | None], None] | None = None

    def then(self, send: Callable[[Reply | None], None]) -> None:
        """Have it sent, by the thread that releases it, or by this one where that is done; None: it could not be made."""
        with self._lock:
            self._send = send
            released = self._released
        if released:
            self._sent(send)

    def release(self) -> None:
        """It is sent, if it was not; called by any thread, as often as it likes."""
        with self._lock:
            if self._released:
                return
            self._released = True
            send = self._send
        self._left()
        if send is not None:
            self._sent(send)

    @property
    def released(self) -> bool:
        """Whether it is kept back no longer."""
        return self._released

    def _sent(self, send: Callable[[Reply | None], None]) -> None:
        try:
            reply = self._tell()
        except Exception:  # noqa: BLE001 - on the ordinary way it hears that its nonce is spent, and asks again
            _log.exception("an answer that was kept back could not be made")
            reply = None
        send(reply)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A POST over TLS with nothing about it out of the ordinary, by the name of ours that it was sent to."""

    id: str
    target: str
    host: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Brought:
    """A request on its way to its window."""

    window: Window[Any, Reply | Held]
    wish: Any


class SignedFace(Protocol):
    """What answers such requests."""

    def concerns(self, target: str, length: int) -> bool:
        """Whether a body of so many octets may be answered at this address (a path, without a query)."""
        ...

    def wished(self, request: SignedRequest) -> Brought | None:
        """What is asked, of whom has been heard on the ordinary way; None: that way. Asks no database and waits for nothing."""
        ...


@dataclass(slots=True)
class SignedBegun:
    """A request that is on its quick way, since a moment of the process's own clock; `status` once it is answered."""

    request: str
    wished: Brought
    face: str
    since: float
    status: int = 0


@dataclass
class SignedLayer:
    """The faces of one application, for the server whose one thread reads many connections over TLS."""

    kit: Kit
    faces: list[SignedFace] = field(default_factory=list)

    def at(self, target: str, length: int) -> SignedFace | None:
        """The face that answers there, if one does."""
        return next((face for face in self.faces if face.concerns(target, length)), None)

    def begin(self, face: SignedFace, target: str, host: str, body: bytes) -> SignedBegun | None:
        """Bring a request on its quick way; None: it goes the ordinary one. Asks no database and waits for nothing."""
        id_ = self.kit.store.identifier()
        wished = face.wished(SignedRequest(id_, target, host, body))
        return None if wished is None else SignedBegun(id_, wished, face_of(target), time.perf_counter())

    def answer(self, begun: SignedBegun, given: Reply | None) -> bytes | None:
        """The fields and the body (RFC 9112) of what its window answered; None: the ordinary way."""
        if given is None:
            return None
        begun.status = given.status
        self.kit.counts.timed(begun.face, str(given.status), time.perf_counter() - begun.since)
        common = _COMMON
        if ("Content-Type", PROBLEM) in given.fields:
            common += _SPOKEN
        own = "".join(f"{name}: {value}\r\n" for name, value in given.fields)
        if given.entries:
            own += f"Audit-Entry: {', '.join(given.entries)}\r\n"
        return b"%b%bContent-Length: %d\r\nRequest-Id: %b\r\n\r\n%b" % (
            own.encode("latin-1"),
            common,
            len(given.body),
            begun.request.encode(),
            given.body,
        )


#: of what is said in a language, to somebody who named none (`yinxin.web.requests`)
_SPOKEN = b"Content-Language: zh-CN\r\nVary: Accept-Language, Cookie\r\n"
_COMMON = "".join(
    f"{name}: {value}\r\n"
    for name, value in {**SECURITY_HEADERS, "Strict-Transport-Security": TRANSPORT_SECURITY}.items()
).encode()
