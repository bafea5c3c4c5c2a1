"""How messages travel, over a line and on a medium alike: a magic line, then frames of a tag, a length and octets.

A *run* is so many headers in their order, each followed by its key, then its roll, the signature over that with what shows
its certificate good, then parts in any order. One without a roll is of the first format: it was signed over its last header.
A *receipt* is three frames. A file that is carried by hand is any number of these, one after the other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from exchange.errors import MalformedEnvelope
from exchange.header import LARGEST, LARGEST_KEY

MAGIC = b"yinxin-exchange-1\n"
MEDIA_TYPE = "application/vnd.yinxin.exchange"
_HEAD = 9


class Tag(Enum):
    """What a frame holds; of parts the length is the part's."""

    HEADER = b"H"
    KEY = b"K"
    ROLL = b"L"
    SIGNATURE = b"S"
    STANDING = b"T"
    PART = b"P"
    RECEIPT = b"R"
    RECEIPT_SIGNATURE = b"Q"
    RECEIPT_STANDING = b"U"
    STATEMENT = b"N"
    CARD = b"C"
    DIRECTORY = b"D"


#: octets of what is held in memory; a part is not
_LARGEST: Mapping[Tag, int] = {
    Tag.HEADER: LARGEST,
    Tag.KEY: LARGEST_KEY,
    Tag.ROLL: 64 << 10,
    Tag.SIGNATURE: 128 << 10,
    Tag.STANDING: 4 << 20,
    Tag.RECEIPT: 128 << 10,
    Tag.RECEIPT_SIGNATURE: 128 << 10,
    Tag.RECEIPT_STANDING: 4 << 20,
    Tag.STATEMENT: 128 << 10,
    Tag.CARD: 1 << 20,
    Tag.DIRECTORY: 64 << 20,
    Tag.PART: 1 << 40,
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it is read: of a part `stream` gives the octets, once, before the next frame is asked for."""

    tag: Tag
    size: int
    data: bytes
    stream: BinaryIO


def frame(tag: Tag, data: bytes) -> bytes:
    """A frame."""
    return head(tag, len(data)) + data


def head(tag: Tag, size: int) -> bytes:
    """What stands before a frame's octets."""
    return tag.value + size.to_bytes(8)


def joined(frames: Iterable[tuple[Tag, bytes]]) -> bytes:
    """Frames behind the magic line."""
    return MAGIC + b"".join(frame(tag, data) for tag, data in frames)


def read(stream: BinaryIO) -> Iterator[Frame]:
    """The frames of a stream to its end; raises MalformedEnvelope."""
    if _exactly(stream, len(MAGIC)) != MAGIC:
        raise MalformedEnvelope(reason="no exchange file")
    while begin := stream.read(_HEAD):
        begin += _exactly(stream, _HEAD - len(begin))
        try:
            tag = Tag(begin[:1])
        except ValueError as error:
            raise MalformedEnvelope(reason="an unknown frame") from error
        size = int.from_bytes(begin[1:])
        if size > _LARGEST[tag]:
            raise MalformedEnvelope(reason=f"a frame of {size} octets")
        if tag is not Tag.PART:
            yield Frame(tag, size, _exactly(stream, size), stream)
            continue
        limited = Limited(stream, size)
        yield Frame(tag, size, b"", limited)  # type: ignore[arg-type]
        limited.finish()


class Limited:
    """So many octets of a stream; reading past them is reading its end. An end before them raises MalformedEnvelope."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        """Octets, at most `size`."""
        wanted = self._left if size < 0 else min(size, self._left)
        if not wanted:
            return b""
        data = self._stream.read(wanted)
        if not data:
            raise MalformedEnvelope(reason="it ends too early")
        self._left -= len(data)
        return data

    def finish(self) -> None:
        """Pass over what was not read."""
        while self.read(1 << 20):
            pass


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            raise MalformedEnvelope(reason="it ends too early")
        data += more
    return data
