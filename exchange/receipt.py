"""The receipt: what the receiving site's key signs of every run it has taken, message by message, by digest.

It says that these octets are at that site, durably, in this order. Whether a person has signed for what they say is
another matter, and another message.

What is signed are digests of its lines, each over a salt: shown with one line, a receipt tells nothing of the other messages, not
even which of them were refused. One that is not blinded is of the first format, and its lines were signed as they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from exchange.errors import MalformedEnvelope
from exchange.header import SUITES, Header
from yinxin import canonical
from yinxin.canonical import NotCanonical
from yinxin.clock import parse_rfc3339
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError

PLAIN, BLINDED = 1, 2
#: octets of a receipt's seed
SEED = 32
#: of an error; it is kept with the message and shown
_CODE = re.compile(r"[a-z0-9_.-]{1,80}")


@dataclass(frozen=True, slots=True)
class Blind:
    """By which suite the lines of a receipt are blinded, and the seed of their salts, which sender and receiver alone have."""

    suite: Suite
    seed: bytes

    def salt(self, seq: int) -> str:
        """The salt of a line, hex."""
        return self.suite.hash.digest(self.seed + seq.to_bytes(8)).hex()


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one message: `error` is the code of a refusal, if it was refused."""

    seq: int
    digest: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt of `site` for messages of `peer`."""

    site: str
    peer: str
    at: str
    lines: tuple[Line, ...]
    blind: Blind | None = None

    @property
    def first(self) -> int:
        """Number of the first message."""
        return self.lines[0].seq

    @property
    def upto(self) -> int:
        """Number of the last."""
        return self.lines[-1].seq

    @property
    def encoded(self) -> bytes:
        """As it travels and is kept, canonical JSON (RFC 8785)."""
        lines = [_said(each) for each in self.lines]
        said = {"site": self.site, "peer": self.peer, "at": self.at, "messages": lines}
        if self.blind is None:
            return canonical.encode({"v": PLAIN, **said})
        seed = self.blind.seed.hex()
        return canonical.encode({"v": BLINDED, "suite": self.blind.suite.name, "seed": seed, **said})

    @property
    def signed(self) -> bytes:
        """What is signed of it: the digest (hex) of each line (`shown`), canonical JSON; of one that is not blinded all that it says."""
        blind = self.blind
        if blind is None:
            return self.encoded
        return canonical.encode(
            {
                "v": BLINDED,
                "suite": blind.suite.name,
                "site": self.site,
                "peer": self.peer,
                "at": self.at,
                "first": self.first,
                "messages": [blind.suite.hash.digest(_salted(each, blind)).hex() for each in self.lines],
            }
        )

    def shown(self, seq: int) -> bytes | None:
        """The line of a message as it is shown with what was signed, canonical JSON; None when all lines stand there."""
        return None if self.blind is None else _salted(self.lines[seq - self.first], self.blind)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a receipt; raises MalformedEnvelope for anything that `encoded` would not write."""
        try:
            body: dict[str, Any] = canonical.decode(data)
            parse_rfc3339(body["at"])
            lines = tuple(Line(each["seq"], each["digest"], each.get("error")) for each in body["messages"])
            read = cls(body["site"], body["peer"], body["at"], lines, _blind(body))
            numbers = [each.seq for each in lines]
            sound = (
                numbers == list(range(numbers[0], numbers[0] + len(numbers)))
                and numbers[0] > 0
                and all(each.error is None or _is_code(each.error) for each in lines)
                and read.encoded == data
            )
        except NotCanonical as error:
            raise MalformedEnvelope(reason=error) from error
        except YinxinError as error:
            raise MalformedEnvelope(reason=error) from error
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise MalformedEnvelope(reason="receipt") from error
        if not sound:
            raise MalformedEnvelope(reason="receipt")
        return read

    def line(self, header: Header) -> Line:
        """What it says of a message; raises MalformedEnvelope when that is another one, or nothing."""
        for each in self.lines:
            if each.seq == header.seq and each.digest == header.digest:
                return each
        raise MalformedEnvelope(reason=f"a receipt without message {header.seq}")


def _is_code(error: Any) -> bool:
    return type(error) is str and _CODE.fullmatch(error) is not None


def _said(line: Line) -> Mapping[str, Any]:
    return {"seq": line.seq, "digest": line.digest} | ({"error": line.error} if line.error else {})


def _salted(line: Line, blind: Blind) -> bytes:
    return canonical.encode({**_said(line), "salt": blind.salt(line.seq)})


def _blind(body: Mapping[str, Any]) -> Blind | None:
    if body["v"] == PLAIN:
        return None
    if body["v"] != BLINDED or len(seed := bytes.fromhex(body["seed"])) != SEED:
        raise ValueError("v")
    return Blind(SUITES[body["suite"]], seed)
