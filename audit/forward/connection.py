"""One connection to a receiver: Forward protocol v1, PackedForward with `chunk`, acknowledged or an error.

The handshake is the protocol's own: HELO, PING, PONG, by which both sides prove that they hold the shared key.
"""

import base64
import binascii
import hmac
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgpack
from fluent.sender import EventTime

from audit.forward.errors import (
    NotAcknowledged,
    ReceiverRefused,
    ReceiverSecretUnreadable,
    ReceiverUnreachable,
)
from audit.forward.settings import ReceiverSettings
from yinxin.crypto.suite import SHA512
from yinxin.randomness import Randomness

if TYPE_CHECKING:
    from collections.abc import Iterator

#: octets of anything a receiver says; an acknowledgement is 40
_LARGEST = 1 << 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: an event: when, and what
Sent = tuple[datetime, Mapping[str, Any]]


class Connection:
    """A receiver that has accepted us. A context manager; any error ends it."""

    def __init__(self, name: str, settings: ReceiverSettings, *, site: str, randomness: Randomness) -> None:
        """Connect and shake hands; raises ReceiverUnreachable, ReceiverRefused or ReceiverSecretUnreadable."""
        self._name, self._settings, self._site, self._randomness = name, settings, site, randomness
        self._unpacker = msgpack.Unpacker(
            raw=False, unicode_errors="surrogateescape", strict_map_key=True, max_buffer_size=_LARGEST
        )
        context = self._tls() if settings.tls else None
        self._socket = self._open(context)
        try:
            if settings.shared_key_file:
                self._greet(self._secret(settings.shared_key_file))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def deliver(self, first: int, events: Sequence[Sent]) -> None:
        """Send a batch that begins at entry `first`; returns when the receiver has acknowledged it.

        Raises ReceiverUnreachable, NotAcknowledged.
        """
        chunk = base64.b64encode(self._randomness.token(16)).decode()
        packed = b"".join(msgpack.packb([_time(at), event]) for at, event in events)
        message = msgpack.packb(
            [self._settings.tag, packed, {"chunk": chunk, "size": len(events)}], use_bin_type=True
        )
        with self._reaching():
            self._socket.settimeout(self._settings.timeout)
            self._socket.sendall(message)
        try:
            answer = self._message()
        except ReceiverUnreachable as error:
            raise NotAcknowledged(receiver=self._name, first=first) from error
        if not isinstance(answer, dict) or answer.get("ack") != chunk:
            raise NotAcknowledged(receiver=self._name, first=first)

    # --- inside ------------------------------------------------------------------------------------------------

    def _tls(self) -> ssl.SSLContext:
        """Verified always; with our certificate where there is one."""
        given = self._settings
        file = given.ca_file
        try:
            context = ssl.create_default_context(cafile=file or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if given.certificate_file:
                file = given.certificate_file
                # never ask a terminal: an encrypted key without its password is an error
                password = self._secret(given.key_password_file) if given.key_password_file else b""
                context.load_cert_chain(file, given.key_file, lambda: password)
        except (OSError, ssl.SSLError) as error:
            raise ReceiverSecretUnreadable(
                receiver=self._name, file=file, reason=type(error).__name__
            ) from error
        return context

    def _open(self, context: ssl.SSLContext | None) -> socket.socket:
        given = self._settings
        with self._reaching():
            plain = socket.create_connection((given.host, given.port), timeout=given.timeout)
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if context is None:
                    return plain
                return context.wrap_socket(plain, server_hostname=given.server_name or given.host)
            except BaseException:
                plain.close()
                raise

    @contextmanager
    def _reaching(self) -> "Iterator[None]":
        try:
            yield
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or "SSLError"
            raise ReceiverRefused(receiver=self._name, reason=str(reason)[:200]) from error
        except OSError as error:
            raise ReceiverUnreachable(receiver=self._name, reason=type(error).__name__) from error

    def _message(self) -> Any:
        """The next message of the receiver, which has `timeout` seconds for all of it."""
        until = time.monotonic() + self._settings.timeout
        with self._reaching():
            while True:
                try:
                    return self._unpacker.unpack()
                except msgpack.OutOfData:
                    pass
                except (ValueError, msgpack.UnpackException) as error:
                    raise ConnectionAbortedError from error
                self._socket.settimeout(max(until - time.monotonic(), 0.001))
                data = self._socket.recv(4096)
                if not data:
                    raise ConnectionResetError
                try:
                    self._unpacker.feed(data)
                except msgpack.BufferFull as error:
                    raise ConnectionAbortedError from error

    def _greet(self, key: bytes) -> None:
        """HELO, PING, PONG: each side hashes the key with the other's fresh octets."""
        match self._message():
            case ["HELO", dict(options)]:
                nonce, salt = _octets(options.get("nonce", b"")), _octets(options.get("auth", b""))
            case _:
                raise ReceiverRefused(receiver=self._name, reason="HELO")
        own = binascii.hexlify(self._randomness.token(16))
        user, proof = "", ""
        if salt:
            user = self._settings.username
            password = self._secret(self._settings.password_file) if self._settings.password_file else b""
            proof = _digest(salt, user.encode(), password)
        ping = ["PING", self._site, own.decode(), _digest(own, self._site.encode(), nonce, key), user, proof]
        with self._reaching():
            self._socket.sendall(msgpack.packb(ping))
        match self._message():
            case ["PONG", True, _, str(host), str(proved)]:
                expected = _digest(own, _octets(host), nonce, key)
                if host == self._site or not hmac.compare_digest(
                    proved.encode("utf-8", "replace"), expected.encode()
                ):
                    raise ReceiverRefused(receiver=self._name, reason="PONG")
            case ["PONG", False, str(reason), *_]:
                said = "".join(each for each in reason[:200] if each.isprintable())
                raise ReceiverRefused(receiver=self._name, reason=said)
            case _:
                raise ReceiverRefused(receiver=self._name, reason="PONG")

    def _secret(self, file: str) -> bytes:
        try:
            content = Path(file).read_bytes().strip()
        except OSError as error:
            raise ReceiverSecretUnreadable(
                receiver=self._name, file=file, reason=type(error).__name__
            ) from error
        if not content:
            raise ReceiverSecretUnreadable(receiver=self._name, file=file, reason="0")
        return content


def _digest(*parts: bytes) -> str:
    """The handshake's digest, in hexadecimal (Forward protocol v1: SHA-512, fixed)."""
    return SHA512.digest(b"".join(parts)).hex()


def _octets(value: object) -> bytes:
    return (
        value.encode("utf-8", "surrogateescape")
        if isinstance(value, str)
        else bytes(value)
        if isinstance(value, bytes)
        else b""
    )


def _time(at: datetime) -> EventTime:
    """The protocol's EventTime, exact to the log's microsecond."""
    return EventTime.from_unix_nano((at - _EPOCH) // timedelta(microseconds=1) * 1000)
