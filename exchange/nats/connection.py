"""A connection to a NATS server: its client protocol over TLS, as far as questions and their answers need it.

https://docs.nats.io/reference/reference-protocols/nats-protocol: INFO, CONNECT, PING, PONG, SUB, PUB, HPUB, MSG, HMSG, -ERR. The
clients that are kept by others want an event loop; what sends here is threads that wait.
"""

import json
import socket
import ssl
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self, cast
from urllib.parse import urlsplit

from exchange.errors import CarrierMisconfigured, CarrierUnreachable
from exchange.nats.credentials import answer
from exchange.settings import NatsSettings
from yinxin.randomness import Randomness

#: port of a server whose address names none
PORT = 4222
#: octets of a line of the protocol, and of a message, that are taken
_LINE, _LARGEST = 1 << 20, 64 << 20
#: seconds for a connection, and until an answer comes
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message that came: its subject, headers in small letters, and what it says.

    `status` is the server's own (0: none); `reply` is where an answer to it goes, if one is wanted.
    """

    subject: str
    headers: Mapping[str, str]
    data: bytes
    status: int = 0
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A message that is to be answered."""

    subject: str
    data: bytes
    headers: Mapping[str, str] | None = None


class Connection:
    """One connection; not shared between threads. Every method raises CarrierUnreachable; afterwards it is of no use."""

    def __init__(self, settings: NatsSettings, randomness: Randomness) -> None:
        """Connect and prove who this is; raises CarrierMisconfigured besides. Nothing is said in the clear."""
        self._url = settings.url
        self._in = f"_INBOX.{randomness.token(12).hex()}"
        self._asked = 0
        try:
            self._open(settings)
        except BaseException:
            self.close()
            raise

    #: octets of a message that the server takes
    most: int
    _socket: socket.socket | None = None
    _file: BinaryIO | None = None

    def _open(self, settings: NatsSettings) -> None:
        address = urlsplit(settings.url)
        host, port = address.hostname or "", address.port or PORT
        try:
            self._socket = plain = socket.create_connection((host, port), timeout=_PATIENCE)
            with plain.makefile("rb", buffering=0) as greeting:  # unbuffered: what follows is TLS
                said = _info(_line(cast("BinaryIO", greeting)))
            if not (said.get("tls_required") or said.get("tls_available")):
                raise CarrierMisconfigured(file=settings.url, reason="the server offers no TLS")
            self._socket = _context(settings).wrap_socket(plain, server_hostname=host)
            self._file = cast("BinaryIO", self._socket.makefile("rb"))
            self.most = min(int(said.get("max_payload", 1 << 20)), _LARGEST)
            words: dict[str, Any] = {
                "verbose": False,
                "pedantic": False,
                "headers": True,
                "no_responders": True,
                "name": "yinxin",
                "lang": "python",
                "version": "1",
                "protocol": 1,
            }
            if settings.credentials_file:
                words |= answer(Path(settings.credentials_file), str(said.get("nonce", "")))
            text = json.dumps(words).encode()
            self._send(b"CONNECT %s\r\nSUB %s.* 1\r\nPING\r\n" % (text, self._in.encode()))
            while self._next() is not None:
                pass
        except (OSError, ValueError) as error:
            raise self._lost(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether it is of no use any more."""
        return self._socket is None

    def close(self) -> None:
        """End it."""
        for each in (self._file, self._socket):
            if each is not None:
                with suppress(OSError):
                    each.close()
        self._file = self._socket = None

    def ask(self, question: Question) -> Message:
        """The answer to one question."""
        return next(self.answers([question]))

    def answers(self, questions: Iterable[Question], flight: int = 1) -> Iterator[Message]:
        """The answer to each, in order; so many are on their way at a time."""
        waiting: deque[str] = deque()
        came: dict[str, Message] = {}
        try:
            for each in questions:
                waiting.append(self._put(each))
                if len(waiting) >= flight:
                    yield self._answer(waiting.popleft(), came)
            while waiting:
                yield self._answer(waiting.popleft(), came)
        except (OSError, ValueError) as error:
            raise self._lost(error) from error

    def _put(self, question: Question) -> str:
        self._asked += 1
        reply, subject, data = f"{self._in}.{self._asked}", question.subject.encode(), question.data
        if question.headers is None:
            self._send(b"PUB %s %s %d\r\n" % (subject, reply.encode(), len(data)), data, b"\r\n")
        else:
            lines = "".join(f"{name}: {value}\r\n" for name, value in question.headers.items())
            head = f"NATS/1.0\r\n{lines}\r\n".encode()
            sizes = (len(head), len(head) + len(data))
            self._send(b"HPUB %s %s %d %d\r\n" % (subject, reply.encode(), *sizes), head, data, b"\r\n")
        return reply

    def _answer(self, reply: str, came: dict[str, Message]) -> Message:
        while reply not in came:
            message = self._next()
            if message is not None:
                came[message.subject] = message
        return came.pop(reply)

    def _send(self, *octets: bytes) -> None:
        if self._socket is None:
            raise OSError("closed")
        self._socket.sendall(b"".join(octets))

    def _next(self) -> Message | None:
        """The next message; None for a PONG. Raises OSError, ValueError."""
        if self._file is None:
            raise OSError("closed")
        while True:
            line = _line(self._file)
            word, _, rest = line.partition(b" ")
            word = word.upper()
            if word == b"PING":
                self._send(b"PONG\r\n")
            elif word == b"PONG":
                return None
            elif word == b"-ERR":
                raise ConnectionError(rest.decode("ascii", "replace")[:200])
            elif word in (b"MSG", b"HMSG"):
                return self._message(rest.split(), headed=word == b"HMSG")
            elif word not in (b"INFO", b"+OK"):
                raise ValueError("no line of the protocol")

    def _message(self, words: list[bytes], *, headed: bool) -> Message:
        if len(words) < (4 if headed else 3):
            raise ValueError("no line of a message")
        size, head = int(words[-1]), int(words[-2]) if headed else 0
        if not 0 <= head <= size <= _LARGEST:
            raise ValueError("no size of a message")
        data = _exactly(cast("BinaryIO", self._file), size + 2)
        status, headers = _headers(data[:head]) if headed else (0, {})
        reply = words[2].decode() if len(words) > (4 if headed else 3) else ""
        return Message(words[0].decode(), headers, data[head:size], status, reply)

    def _lost(self, error: Exception) -> CarrierUnreachable:
        self.close()
        return CarrierUnreachable(server=self._url, reason=str(error)[:200] or type(error).__name__)


def _context(settings: NatsSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate_file:
            context.load_cert_chain(settings.certificate_file, settings.key_file or None)
    except (OSError, ssl.SSLError) as error:
        file = settings.ca_file or settings.certificate_file
        raise CarrierMisconfigured(file=file, reason=type(error).__name__) from error
    return context


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_LINE)
    if not line.endswith(b"\n"):
        raise ConnectionError("the server closed the connection")
    return line.rstrip(b"\r\n")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise ConnectionError("the server closed the connection")
    return data


def _info(line: bytes) -> dict[str, Any]:
    word, _, rest = line.partition(b" ")
    said: dict[str, Any] = json.loads(rest) if word.upper() == b"INFO" and rest.startswith(b"{") else {}
    if not said:
        raise ConnectionError("no NATS server")
    return said


def _headers(data: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers; of several of one name the last."""
    first, *lines = data.decode("utf-8", "replace").split("\r\n")
    words = first.split()
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    pairs = (line.partition(":") for line in lines if ":" in line)
    return status, {name.strip().lower(): value.strip() for name, _, value in pairs}
