"""The receipt: what the receiving site's key signs of every run it has taken, message by message, by digest.

It says that these octets are at that site, durably, in this order. Whether a person has signed for what they say is
another matter, and another message.
"""

from dataclasses import dataclass
from typing import Any, Self

from exchange.errors import MalformedEnvelope
from exchange.header import Header
from yinxin import canonical
from yinxin.canonical import NotCanonical
from yinxin.clock import parse_rfc3339
from yinxin.errors import YinxinError

FORMAT = 1


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
        """Canonical JSON (RFC 8785): what is signed."""
        lines = [
            {"seq": each.seq, "digest": each.digest} | ({"error": each.error} if each.error else {})
            for each in self.lines
        ]
        return canonical.encode(
            {"v": FORMAT, "site": self.site, "peer": self.peer, "at": self.at, "messages": lines}
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a receipt; raises MalformedEnvelope for anything that `encoded` would not write."""
        try:
            body: dict[str, Any] = canonical.decode(data)
            parse_rfc3339(body["at"])
            lines = tuple(Line(each["seq"], each["digest"], each.get("error")) for each in body["messages"])
            read = cls(body["site"], body["peer"], body["at"], lines)
            numbers = [each.seq for each in lines]
            sound = (
                body["v"] == FORMAT
                and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
                and read.encoded == data
            )
        except NotCanonical as error:
            raise MalformedEnvelope(reason=error) from error
        except YinxinError as error:
            raise MalformedEnvelope(reason=error) from error
        except (KeyError, TypeError, IndexError, AttributeError) as error:
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
