"""A message's header: all that is said of a message in the clear, in one spelling, chained to the one before it.

What the header says is covered by its sender's signature: directly, or by a signature over a later header, since each
names the digest of the one before. What the message says itself stands in its sealed parts, which it names by digest.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, get_args

from exchange.errors import MalformedEnvelope
from yinxin import canonical
from yinxin.authz import Level
from yinxin.clock import parse_rfc3339
from yinxin.crypto.suite import INTL, SM, Suite
from yinxin.errors import YinxinError

FORMAT = 1
#: octets of a header, of its key, and how many parts it may name
LARGEST = 64 << 10
LARGEST_KEY = 8 << 10
MOST_PARTS = 200
#: suites whose keys open what is encrypted to them in the key centre
SUITES = {each.name: each for each in (INTL, SM)}

_TEXTS = {
    "from": 64,
    "to": 64,
    "id": 40,
    "sender": 64,
    "recipient": 64,
    "kind": 40,
    "object": 200,
    "at": 40,
}
_HEX = re.compile(r"[0-9a-f]{64}")
#: an identifier stands in addresses and file names here
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LARGEST_SIZE = 1 << 40


@dataclass(frozen=True, slots=True)
class Part:
    """A sealed part: digest (hex, by the header's suite) and size in octets of the sealed form."""

    digest: str
    size: int


@dataclass(frozen=True)
class Header:
    """The header as its sender wrote it; `encoded` are the octets that are signed and chained."""

    suite: Suite
    sender_site: str
    recipient_site: str
    seq: int
    previous: str
    id: str
    sender: str
    recipient: str
    kind: str
    object: str
    grade: Level
    at: str
    key: str
    parts: tuple[Part, ...]

    @cached_property
    def encoded(self) -> bytes:
        """Canonical JSON (RFC 8785)."""
        return canonical.encode(self._body)

    @property
    def _body(self) -> dict[str, Any]:
        return {
            "v": FORMAT,
            "suite": self.suite.name,
            "from": self.sender_site,
            "to": self.recipient_site,
            "seq": self.seq,
            "previous": self.previous,
            "id": self.id,
            "sender": self.sender,
            "recipient": self.recipient,
            "kind": self.kind,
            "object": self.object,
            "grade": self.grade,
            "at": self.at,
            "key": self.key,
            "parts": [{"digest": each.digest, "size": each.size} for each in self.parts],
        }

    @cached_property
    def digest(self) -> str:
        """What the next header and the receipt name, hex."""
        return digest_of(self.suite, self.encoded)

    def demand_sound(self) -> None:
        """Raise MalformedEnvelope of what the other site would refuse to read."""
        with _refusing():
            _demand(len(self.encoded) <= LARGEST, f"over {LARGEST} octets")
            _demand(self._read(self._body) == self, "a field")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a header; raises MalformedEnvelope for anything that `encoded` would not write."""
        with _refusing():
            _demand(len(data) <= LARGEST, f"over {LARGEST} octets")
            header = cls._read(canonical.decode(data))
            _demand(header.encoded == data, "a field too many")
        return header

    @classmethod
    def _read(cls, body: dict[str, Any]) -> Self:
        _demand(body["v"] == FORMAT, "v")
        for name, most in _TEXTS.items():
            _demand(isinstance(body[name], str) and 0 < len(body[name]) <= most, name)
            _demand(_CONTROL.search(body[name]) is None, name)
        _demand(_ID.fullmatch(body["id"]) is not None, "id")
        _demand(body["grade"] in get_args(Level), "grade")
        _demand(type(body["seq"]) is int and body["seq"] > 0, "seq")
        _demand(isinstance(body["previous"], str), "previous")
        _demand(body["previous"] == "" if body["seq"] == 1 else _hex(body["previous"]), "previous")
        _demand(_hex(body["key"]), "key")
        _demand(0 < len(body["parts"]) <= MOST_PARTS, "parts")
        parse_rfc3339(body["at"])
        return cls(
            suite=SUITES[body["suite"]],
            sender_site=body["from"],
            recipient_site=body["to"],
            seq=body["seq"],
            previous=body["previous"],
            id=body["id"],
            sender=body["sender"],
            recipient=body["recipient"],
            kind=body["kind"],
            object=body["object"],
            grade=body["grade"],
            at=body["at"],
            key=body["key"],
            parts=tuple(_part(each) for each in body["parts"]),
        )


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except YinxinError as error:
        raise MalformedEnvelope(reason=error) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedEnvelope(reason=f"header: {error}") from error


def _part(body: dict[str, Any]) -> Part:
    _demand(_hex(body["digest"]), "digest")
    _demand(type(body["size"]) is int and 0 < body["size"] <= _LARGEST_SIZE, "size")
    return Part(body["digest"], body["size"])


def digest_of(suite: Suite, data: bytes) -> str:
    """The digest of octets as headers and receipts write it, hex."""
    return suite.hash.digest(data).hex()


def chained(headers: Iterable[Header]) -> None:
    """Raise MalformedEnvelope unless each header follows the one before it, between the same two sites."""
    before: Header | None = None
    for each in headers:
        if before is not None:
            sites = (before.sender_site, before.recipient_site)
            if (each.sender_site, each.recipient_site) != sites:
                raise MalformedEnvelope(reason="headers of several sites")
            if each.seq != before.seq + 1 or each.previous != before.digest:
                raise MalformedEnvelope(reason=f"{each.seq} does not follow {before.seq}")
        before = each


def _hex(text: object) -> bool:
    return isinstance(text, str) and _HEX.fullmatch(text) is not None


def _demand(holds: bool, name: str) -> None:  # noqa: FBT001 - the condition itself
    if not holds:
        raise ValueError(name)
