"""What a site says, signed, of how far its exchange with a peer has come."""

from dataclasses import dataclass
from typing import Any, Self

from exchange.errors import MalformedEnvelope
from yinxin import canonical
from yinxin.clock import parse_rfc3339
from yinxin.errors import YinxinError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a direction has come: the last number, its header's digest, and the last number with a receipt."""

    seq: int
    head: str
    receipted: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What `site` says of its exchange with `peer`."""

    site: str
    peer: str
    at: str
    sent: Reach
    received: Reach

    @property
    def encoded(self) -> bytes:
        """Canonical JSON (RFC 8785): what is signed."""
        reaches = {"sent": self.sent, "received": self.received}
        said: dict[str, Any] = {
            name: {"seq": each.seq, "head": each.head, "receipted": each.receipted}
            for name, each in reaches.items()
        }
        return canonical.encode({"v": FORMAT, "site": self.site, "peer": self.peer, "at": self.at} | said)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read it back; raises MalformedEnvelope."""
        try:
            body = canonical.decode(data)
            reaches = (Reach(**body[name]) for name in ("sent", "received"))
            read = cls(body["site"], body["peer"], body["at"], *reaches)
            parse_rfc3339(read.at)
            sound = body["v"] == FORMAT and read.encoded == data
            numbers = [each for one in (read.sent, read.received) for each in (one.seq, one.receipted)]
            sound = sound and all(type(each) is int and each >= 0 for each in numbers)
        except YinxinError as error:
            raise MalformedEnvelope(reason=error) from error
        except (KeyError, TypeError) as error:
            raise MalformedEnvelope(reason="statement") from error
        if not sound:
            raise MalformedEnvelope(reason="statement")
        return read
