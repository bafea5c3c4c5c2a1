"""The port of KMIP: TLS with a client certificate, and one thread a connection, which waits for nobody for ever.

KMIP is no HTTP: a message is a TTLV structure whose first eight octets say how long it is. What is too long, or begins
like no request, is answered with an error and ends the connection, unread.
"""

import logging
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from kms.kmip.errors import KmipInvalidMessage, KmipNotAdmitted
from kms.kmip.service import Kmip
from kms.kmip.words import Tag
from yinxin.crypto.libcrypto import cleanse
from yinxin.text import Text

_log = logging.getLogger("yinxin.kms")

#: octets of a request at most
LARGEST = 1 << 16
#: seconds for the handshake, for a message from its first octet to its last, and for a connection to say nothing
GREETING, PATIENCE, QUIET = 10.0, 30.0, 300.0
_HEAD = 8
_BEGIN = Tag.REQUEST_MESSAGE.to_bytes(3, "big") + b"\x01"


class _Ended(Exception):
    """The other side is gone, or took too long."""


@dataclass(eq=False, slots=True)
class _Connection:
    """A connection and its thread's place in it."""

    socket: socket.socket
    #: since when it waits for a message; None while one is answered or, of a system that is known, read
    quiet: float | None = field(default_factory=time.monotonic)
    #: whether it has said something as a registered system: a certificate of ours has every person
    known: bool = False


class Listener(threading.Thread):
    """Accepts connections and serves each in a thread of its own, `most` at a time."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext, kmip: Kmip, most: int) -> None:
        super().__init__(name="kmip", daemon=True)
        self._listener, self._context, self._kmip, self._most = listener, context, kmip, most
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._ending = False

    def close(self) -> None:
        """Stop; returns when nothing is accepted any more. What is being answered is answered."""
        self._ending = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self.is_alive():
            self.join()
        with self._lock:
            for each in self._connections:
                _hang_up(each)

    def run(self) -> None:
        while not self._ending:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                if not self._ending:
                    time.sleep(0.1)  # no more descriptors for the moment
                continue
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(accepted)
            if not self._room(connection):
                accepted.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), name="kmip-client", daemon=True).start()

    def _room(self, connection: _Connection) -> bool:
        """Take it in; where there is no room somebody goes: a stranger, else whoever has been quiet longest.

        So strangers make room for strangers. False when all are busy.
        """
        with self._lock:
            if len(self._connections) >= self._most:
                quiet = [each for each in self._connections if each.quiet is not None]
                if not quiet:
                    return False
                longest = min(quiet, key=lambda each: (each.known, each.quiet or 0.0))
                self._connections.discard(longest)
                _hang_up(longest)
            self._connections.add(connection)
            return True

    def _serve(self, connection: _Connection) -> None:
        try:
            with connection.socket as plain:
                self._greet(connection, plain)
        except (_Ended, OSError):
            pass
        except Exception:  # noqa: BLE001 - the port must outlive whatever one connection meets
            _log.exception("a KMIP connection failed")
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _greet(self, connection: _Connection, plain: socket.socket) -> None:
        plain.settimeout(GREETING)
        try:
            secured = self._context.wrap_socket(plain, server_side=True)
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message
            self._kmip.turned_away(KmipNotAdmitted(subject="-", reason=reason))
            return
        except ssl.SSLError as error:
            if error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
                shown = Text("未出示证书", "no certificate was shown")
                self._kmip.turned_away(KmipNotAdmitted(subject="-", reason=shown))
            return
        with secured:
            connection.socket = secured
            certificate = secured.getpeercert(binary_form=True) or b""
            while self._exchange(connection, secured, certificate):
                pass

    def _exchange(self, connection: _Connection, secured: ssl.SSLSocket, certificate: bytes) -> bool:
        """One message and its answer; whether another may follow."""
        connection.quiet = time.monotonic()
        head = _some(secured, _HEAD, connection.quiet + QUIET)
        if connection.known:
            connection.quiet = None
        until = time.monotonic() + PATIENCE
        head += _all(secured, _HEAD - len(head), until)
        length = int.from_bytes(head[4:], "big")
        if head[:4] != _BEGIN or length > LARGEST - _HEAD:
            reason = Text(f"不是请求，或超过 {LARGEST} 字节", f"it is no request, or above {LARGEST} octets")
            _send(secured, self._kmip.unreadable(certificate, head, KmipInvalidMessage(reason=reason)))
            return False
        message = head + _all(secured, length, until)
        connection.quiet = None
        answer, goes_on = self._kmip.serve(certificate, message)
        cleanse(message)
        _send(secured, answer)
        connection.known = connection.known or goes_on
        return goes_on


def _some(secured: ssl.SSLSocket, most: int, until: float) -> bytes:
    """At least one octet; raises _Ended."""
    left = until - time.monotonic()
    if left <= 0:
        raise _Ended
    secured.settimeout(left)
    got = secured.recv(most)
    if not got:
        raise _Ended
    return got


def _all(secured: ssl.SSLSocket, size: int, until: float) -> bytes:
    """Exactly so many octets, in time; raises _Ended."""
    parts, left = [], size
    while left:
        got = _some(secured, left, until)
        parts.append(got)
        left -= len(got)
    return b"".join(parts)


def _send(secured: ssl.SSLSocket, answer: bytearray) -> None:
    """The whole answer, cleansed afterwards."""
    try:
        secured.settimeout(PATIENCE)
        secured.sendall(answer)
    finally:
        cleanse(answer)


def _hang_up(connection: _Connection) -> None:
    with suppress(OSError):
        # past TLS, whose own way would let the thread that reads go on reading in the clear
        socket.socket.shutdown(connection.socket, socket.SHUT_RDWR)
