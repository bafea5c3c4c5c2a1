"""Distinguished encoding (X.690) read strictly, for the verifier that is one file; what is not so raises ValueError."""

import re
from datetime import UTC, datetime

_NESTED = 48
_YEARS = re.compile(r"(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z", re.ASCII)


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends."""
    start = at + 2
    if start > len(data) or data[at] & 0x1F == 0x1F:
        raise ValueError("no element")
    size = data[at + 1]
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
        if not 0 < count <= 4 or size < 0x80 or size.bit_length() <= 8 * (count - 1):
            raise ValueError("a length that is not minimal")
    if start + size > len(data):
        raise ValueError("cut off")
    return start, start + size


def children(data: bytes, tag: int = 0x30) -> list[bytes]:
    """The elements inside one element of this tag."""
    at, end = _extent(data, 0)
    if data[0] != tag or end != len(data):
        raise ValueError("another element")
    found = []
    while at < end:
        after = _extent(data, at)[1]
        if after > end:
            raise ValueError("overruns its parent")
        found.append(data[at:after])
        at = after
    return found


def inside(data: bytes, tag: int | None = None) -> bytes:
    """The content of one element, of this tag where it is given."""
    start, end = _extent(data, 0)
    if end != len(data) or tag not in (None, data[0]):
        raise ValueError("another element")
    return data[start:end]


def written(tag: int, content: bytes) -> bytes:
    """One element."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def strict(data: bytes, depth: int = 0) -> bytes:
    """The element, every part of it in its one spelling."""
    value, tag = inside(data), data[0]
    if tag & 0x20:
        if depth > _NESTED or (tag < 0x40 and tag not in (0x30, 0x31)):
            raise ValueError("nested too deeply, or a string in parts")
        for each in children(data, tag):
            strict(each, depth + 1)
    elif (
        (tag == 0x01 and value not in (b"\0", b"\xff"))
        or (tag == 0x05 and value)
        or (
            tag in (0x02, 0x0A)
            and (not value or (len(value) > 1 and (value[0], value[1] >> 7) in ((0, 0), (255, 1))))
        )
        or (tag == 0x06 and (not value or value[-1] & 0x80))
        or (
            tag == 0x03
            and (
                not value
                or value[0] > 7
                or (value[0] and (len(value) == 1 or value[-1] & ((1 << value[0]) - 1)))
            )
        )
        or tag in (0x10, 0x11)
    ):
        raise ValueError("a value in another spelling")
    return data


def arcs(data: bytes) -> str:
    """An object identifier as text."""
    found, value = [], 0
    for octet in inside(data, 0x06):
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            found.append(value)
            value = 0
    first = min(found[0] // 40, 2)
    return ".".join(map(str, (first, found[0] - 40 * first, *found[1:])))


def whole(data: bytes) -> int:
    """An INTEGER or ENUMERATED."""
    if data[0] not in (0x02, 0x0A):
        raise ValueError("no number")
    return int.from_bytes(inside(data), "big", signed=True)


def moment(data: bytes) -> datetime:
    """A UTCTime or GeneralizedTime, as it is written in UTC."""
    found = _YEARS.fullmatch(inside(data).decode("ascii"))
    if (
        found is None
        or (data[0], len(found[1])) not in ((0x17, 2), (0x18, 4))
        or (data[0] == 0x17 and found[7])
    ):
        raise ValueError("no time")
    year = int(found[1]) if data[0] == 0x18 else 1950 + (int(found[1]) - 50) % 100
    parts = [int(found[at]) for at in range(2, 7)]
    fraction = int((found[7] or "").ljust(6, "0")[:6])
    return datetime(year, parts[0], parts[1], parts[2], parts[3], parts[4], fraction, tzinfo=UTC)
