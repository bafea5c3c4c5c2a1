"""Answers and lists kept in memory, ready to be sent: one look at the newest change proves that they still hold.

Whoever serves them calls `look` after the requests have come in and before any is answered. So a revocation that was
committed – by this process or another – before a request was sent is in the answer to it.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from sqlalchemy.engine import Engine

from ca.context import Context
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertId
from yinxin.crypto.suite import INTL

#: octets of an OCSPRequest for one certificate by SHA-1, without nonce, before the serial number's own
_BEFORE = 67
#: answers kept at most: about 60 MB
MOST = 50_000
_OCSP = b"application/ocsp-response"


@dataclass(frozen=True, slots=True)
class Kept:
    """A complete HTTP answer but for its date; `until` is when it must not be sent any more, seconds since 1970."""

    head: bytes
    body: bytes
    etag: bytes
    until: float


class Shelf:
    """What is kept by one process; used by the thread of the plain port, filled by others too."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._changes = _Changes(ctx.store.engine)
        self._answers: dict[bytes, Kept] = {}
        self._lists: dict[str, Kept] = {}
        #: newest change of each authority since this process began to look
        self._last: dict[str, int] = {}
        self._prefixes: dict[bytes, str] = {}
        self._lock = threading.Lock()

    def look(self) -> None:
        """Let go of what has changed; raises whatever the database raises, and then nothing may be served."""
        changed = self._changes.since()
        if not changed:
            return
        with self._lock:
            for sequence, serial, authority in changed:
                self._last[authority] = sequence
                for path in [
                    each
                    for each in self._lists
                    if each.startswith((f"/crl/{authority}/", f"/crl/{authority}."))
                ]:
                    del self._lists[path]
                number = bytes.fromhex(serial.zfill(len(serial) + len(serial) % 2))
                for question in self._questions(authority, number):
                    self._answers.pop(question, None)

    def answer(self, question: bytes) -> Kept | None:
        """The answer to an OCSPRequest in DER, if it is the plain question for one certificate and one is kept."""
        kept = self._answers.get(question)
        now = self._ctx.store.clock.now().timestamp()
        if kept is not None and now < kept.until:
            return kept
        named = self._named(question)
        found = self._changes.stored(*named) if named is not None else None
        if found is None:
            return None
        # a cache that may keep it for a while must not keep it beyond its end
        end = found[1] - self._ctx.settings.status.http_seconds
        if now >= end:
            return None
        if len(self._answers) >= MOST:
            self._answers.clear()
        kept = self._answers[question] = self.made(found[0], _OCSP, end)
        return kept

    def _named(self, question: bytes) -> tuple[str, str] | None:
        """Serial number and authority of a plain question, octet for octet as DER would have it."""
        before, number = question[:_BEFORE], question[_BEFORE:]
        authority = self._prefixes.get(before) or self._known_prefixes().get(before)
        if authority is None or len(number) != before[-1] or number[0] & 0x80:
            return None
        if len(number) > 1 and number[0] == 0 and not number[1] & 0x80:
            return None
        return f"{int.from_bytes(number):x}", authority

    def made(self, body: bytes, kind: bytes, until: float) -> Kept:
        """`body` as an HTTP answer (RFC 5019 6.2), good until then."""
        seconds = self._ctx.settings.status.http_seconds
        etag = b'"%s"' % INTL.hash.digest(body).hex()[:32].encode()
        now = self._ctx.store.clock.now().timestamp()
        head = (
            b"Content-Type: %s\r\nContent-Length: %d\r\nETag: %s\r\nLast-Modified: %s\r\n"
            b"Cache-Control: max-age=%d, public, no-transform, must-revalidate\r\n"
        ) % (kind, len(body), etag, formatdate(now, usegmt=True).encode(), seconds)
        return Kept(head, body, etag, until)

    def list(self, path: str) -> Kept | None:
        """The list or certificate at a path, if it is kept."""
        kept = self._lists.get(path)
        return kept if kept is not None and self._ctx.store.clock.now().timestamp() < kept.until else None

    def keep(self, path: str, authority: str, through: int, kept: Kept) -> None:
        """Keep a list that knows the changes up to `through`, unless there are newer ones."""
        with self._lock:
            if self._last.get(authority, 0) <= through:
                self._lists[path] = kept

    def _known_prefixes(self) -> dict[bytes, str]:
        """The prefixes of all authorities, read again when one is met that is not among them."""
        names = self._ctx.issuers.names()
        if len(self._prefixes) != 20 * len(names):
            for name in names:
                own = self._ctx.issuers.get(name).chain[0]
                self._prefixes |= {_prefix(own, size): name for size in range(1, 21)}
        return self._prefixes

    def _questions(self, authority: str, number: bytes) -> Iterable[bytes]:
        number = b"\0" + number if number[0] & 0x80 else number
        for prefix, name in self._prefixes.items():
            if name == authority and prefix[-1] == len(number):
                yield prefix + number


def _prefix(own: Certificate, size: int) -> bytes:
    """The OCSPRequest for a serial number of `size` octets, up to these (RFC 6960 4.1.1)."""
    # five nested sequences of at most 127 octets each, then algorithm, two hashes and the number's header
    certificate_id = CertId.of(1, own).der[2:-3]
    inner = len(certificate_id) + 2 + size
    headers = b"".join(bytes((0x30, inner + 2 * depth)) for depth in range(4, -1, -1))
    return headers + certificate_id + bytes((0x02, size))


class _Changes:
    """The two questions that are asked often, put to the driver itself on a connection of their own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._connection: Any = None
        self._version: object = None
        self._sequence = -1

    def since(self) -> list[tuple[int, str, str]]:
        """Changes since the last call: (number, serial number, authority)."""
        try:
            return self._since(self._open())
        except Exception:
            self.close()
            raise

    def _since(self, connection: Any) -> list[tuple[int, str, str]]:
        if self._sqlite:
            # changes whenever anybody else commits anything; nothing to read otherwise
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return []
            self._version = version
        if self._sequence < 0:
            (newest,) = connection.execute("SELECT coalesce(max(sequence), 0) FROM ca_change").fetchone()
            self._sequence = newest
            return []
        mark = "?" if self._sqlite else "%s"
        query = f"SELECT sequence, serial, authority FROM ca_change WHERE sequence > {mark} ORDER BY sequence"  # noqa: S608 - the mark is one of two
        found: list[tuple[int, str, str]] = connection.execute(query, (self._sequence,)).fetchall()
        if found:
            self._sequence = found[-1][0]
        return found

    def stored(self, serial: str, authority: str) -> tuple[bytes, int] | None:
        """The answer kept for a certificate, and its end."""
        mark = "?" if self._sqlite else "%s"
        query = f"SELECT answer, until FROM ca_answer WHERE serial = {mark} AND authority = {mark}"  # noqa: S608 - the mark is one of two
        row = self._open().execute(query, (serial, authority)).fetchone()
        return None if row is None or row[0] is None else (bytes(row[0]), row[1])

    def _open(self) -> Any:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
            if not self._sqlite:
                self._connection.driver_connection.autocommit = True
        return self._connection.driver_connection

    def close(self) -> None:
        """Let the connection go; what was kept has to be proven anew."""
        connection, self._connection, self._version = self._connection, None, None
        if connection is not None:
            connection.invalidate()
