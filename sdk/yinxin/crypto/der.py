"""Distinguished encoding (X.690): a small writer that never guesses, and the strict check of what others wrote.

Everything this kit signs is written here, byte for byte the same for the same facts. Everything it reads is held to
DER first, so that two parsers can never see two meanings in one object.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import lru_cache

from yinxin.crypto.errors import MalformedDer

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTF8, PRINTABLE, IA5, UTC_TIME, GENERALIZED_TIME = 0x0A, 0x0C, 0x13, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31

_UTC = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_GENERALIZED = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z", re.ASCII)

_DEPTH = 48  # deeper nesting is no honest object; it is an attack on the reader's stack


# --- writing ---------------------------------------------------------------------------------------------------


def tlv(tag: int, content: bytes) -> bytes:
    """One element: identifier octet, definite minimal length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of already encoded parts."""
    return tlv(SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """SET OF, its members in the order that X.690 11.6 prescribes."""
    return tlv(SET, b"".join(sorted(parts)))


def explicit(number: int, part: bytes) -> bytes:
    """[number] EXPLICIT."""
    return tlv(0xA0 | number, part)


def implicit(number: int, part: bytes) -> bytes:
    """[number] IMPLICIT: the same element under a context tag, constructed or primitive as before."""
    return bytes((0x80 | (part[0] & 0x20) | number,)) + part[1:]


def integer(value: int) -> bytes:
    """INTEGER."""
    return tlv(INTEGER, _signed(value))


def enumerated(value: int) -> bytes:
    """ENUMERATED."""
    return tlv(ENUMERATED, _signed(value))


def _signed(value: int) -> bytes:
    bits = value.bit_length() if value >= 0 else (value + 1).bit_length()
    return value.to_bytes(bits // 8 + 1, "big", signed=True)


def boolean(value: bool) -> bytes:  # noqa: FBT001 - the value is the whole meaning
    """BOOLEAN."""
    return tlv(BOOLEAN, b"\xff" if value else b"\x00")


def null() -> bytes:
    """NULL."""
    return b"\x05\x00"


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, value)


def bits(value: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\x00" + value)


def named_bits(positions: Collection[int]) -> bytes:
    """BIT STRING of a named bit list, trailing zero bits left out (X.690 11.2.2)."""
    if not positions:
        return tlv(BIT_STRING, b"\x00")
    last = max(positions)
    value = sum(1 << (last - position) for position in positions)
    unused = 7 - last % 8
    return tlv(BIT_STRING, bytes((unused,)) + (value << unused).to_bytes(last // 8 + 1, "big"))


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    out = bytearray()
    for arc in (40 * first + second, *rest):
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.append(0x80 | (arc & 0x7F))
        out += bytes(reversed(group))
    return tlv(OID, bytes(out))


def utf8(text: str) -> bytes:
    """UTF8String."""
    return tlv(UTF8, text.encode())


def printable(text: str) -> bytes:
    """PrintableString; the caller has checked the repertoire."""
    return tlv(PRINTABLE, text.encode("ascii"))


def ia5(text: str) -> bytes:
    """IA5String."""
    return tlv(IA5, text.encode("ascii"))


def time(at: datetime) -> bytes:
    """Time: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5); whole seconds, UTC."""
    return _time(at.astimezone(UTC))


@lru_cache(maxsize=256)
def _time(at: datetime) -> bytes:
    """What is made together begins and ends in one second."""
    if 1950 <= at.year < 2050:
        return tlv(UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode())
    return generalized(at)


def generalized(at: datetime, *, fraction: bool = False) -> bytes:
    """GeneralizedTime in UTC; with `fraction`, milliseconds without trailing zeros (RFC 3161 2.4.2)."""
    at = at.astimezone(UTC)
    text = f"{at.year:04d}{at:%m%d%H%M%S}"
    if fraction and at.microsecond >= 1000:
        text += f".{at.microsecond // 1000:03d}".rstrip("0")
    return tlv(GENERALIZED_TIME, f"{text}Z".encode())


# --- reading ---------------------------------------------------------------------------------------------------


def header(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """(tag, start of the content, end of the content) of the element at `offset`; raises MalformedDer."""
    length, start = len(data), offset + 2
    if start > length:
        raise MalformedDer(offset=offset, reason="truncated header")
    tag, size = data[offset], data[offset + 1]
    if tag & 0x1F == 0x1F:
        raise MalformedDer(offset=offset, reason="multi-byte tag")
    if size & 0x80:
        count = size & 0x7F
        if count == 0 or count > 4:
            raise MalformedDer(offset=offset, reason="indefinite or oversized length")
        size = int.from_bytes(data[start : start + count], "big")
        start += count
        if size < 0x80 or size.bit_length() <= 8 * (count - 1):
            raise MalformedDer(offset=offset, reason="length is not minimal")
    if start + size > length:
        raise MalformedDer(offset=offset, reason="content is cut off")
    return tag, start, start + size


def elements(data: bytes, tag: int = SEQUENCE) -> list[bytes]:
    """The encoded children of one constructed element that has this tag; raises MalformedDer."""
    found, offset, end = header(data)
    if found != tag or end != len(data):
        raise MalformedDer(offset=0, reason=f"not one element with the tag {tag:02x}")
    children = []
    while offset < end:
        # the usual header, one octet each of tag and length, is read here; any other by its reader
        if offset + 1 < end and (size := data[offset + 1]) < 0x80 and data[offset] & 0x1F != 0x1F:
            after = offset + 2 + size
        else:
            after = header(data, offset)[2]
        if after > end:
            raise MalformedDer(offset=offset, reason="content overruns its parent")
        children.append(data[offset:after])
        offset = after
    return children


def content(data: bytes, tag: int | None = None) -> bytes:
    """The content octets of one element; with `tag`, of one that has it. Raises MalformedDer."""
    found, start, end = header(data)
    if tag not in (None, found):
        raise MalformedDer(offset=0, reason=f"not an element with the tag {tag:02x}")
    return data[start:end]


def tagged(data: bytes, number: int) -> bytes:
    """The element inside [number] EXPLICIT; raises MalformedDer."""
    return content(data, 0xA0 | number)


def dotted(data: bytes) -> str:
    """The text of an OBJECT IDENTIFIER element; raises MalformedDer."""
    return _remembered(data) if len(data) <= _REMEMBERED_SIZE else _dotted(data)


def _dotted(data: bytes) -> str:
    if not data or data[0] != OID:
        raise MalformedDer(offset=0, reason="not an OBJECT IDENTIFIER")
    arcs, value = [], 0
    for octet in content(data):
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


#: the same few identifiers are met in everything that is read; what a stranger sends must not fill the memory
_remembered = lru_cache(maxsize=1024)(_dotted)
_REMEMBERED_SIZE = 32


def number(data: bytes) -> int:
    """The value of an INTEGER or ENUMERATED element; raises MalformedDer."""
    if not data or data[0] not in (INTEGER, ENUMERATED):
        raise MalformedDer(offset=0, reason="not an INTEGER")
    return int.from_bytes(content(data), "big", signed=True)


def instant(data: bytes) -> datetime:
    """The aware UTC instant of a UTCTime or GeneralizedTime element in DER form; raises MalformedDer."""
    text = content(data).decode("ascii", "replace")
    found = (_UTC if data[0] == UTC_TIME else _GENERALIZED).fullmatch(text)
    if data[0] not in (UTC_TIME, GENERALIZED_TIME) or not found:
        raise MalformedDer(offset=0, reason="not a DER time")
    year = int(found[1]) if data[0] == GENERALIZED_TIME else (1950 + (int(found[1]) - 50) % 100)
    fraction = (found[7] or "").ljust(6, "0")[:6] if data[0] == GENERALIZED_TIME else "0"
    try:
        month, day, hour, minute, second = (int(found[i]) for i in range(2, 7))
        return datetime(year, month, day, hour, minute, second, int(fraction), tzinfo=UTC)
    except ValueError as error:
        raise MalformedDer(offset=0, reason="no such time") from error


def octets_of_bits(data: bytes) -> bytes:
    """The octets of a BIT STRING element without unused bits; raises MalformedDer."""
    value = content(data)
    if data[0] != BIT_STRING or not value or value[0]:
        raise MalformedDer(offset=0, reason="not a BIT STRING of whole octets")
    return value[1:]


def require(holds: object, reason: str) -> None:
    """Raise MalformedDer with `reason` unless `holds`."""
    if not holds:
        raise MalformedDer(offset=0, reason=reason)


def check(data: bytes) -> None:
    """Hold `data` to DER: one element, nothing after it, all lengths and primitive values canonical; or MalformedDer."""
    if _check(data, 0, len(data), 0) != len(data):
        raise MalformedDer(offset=0, reason="bytes after the object")


def _check(data: bytes, offset: int, limit: int, depth: int) -> int:
    if depth > _DEPTH:
        raise MalformedDer(offset=offset, reason="nested too deeply")
    # as in `elements`: the usual header is read here
    if offset + 1 < limit and (size := data[offset + 1]) < 0x80 and data[offset] & 0x1F != 0x1F:
        tag, start, end = data[offset], offset + 2, offset + 2 + size
    else:
        tag, start, end = header(data, offset)
    if end > limit:
        raise MalformedDer(offset=offset, reason="content overruns its parent")
    if not tag & 0x20:
        if tag in _CANONICAL:
            _check_primitive(data, tag, start, end)
        return end
    if tag < 0x40 and tag not in (SEQUENCE, SET):
        raise MalformedDer(offset=offset, reason="constructed string")
    inner = start
    while inner < end:
        inner = _check(data, inner, end, depth + 1)
    return end


#: of the primitive elements, those whose content has one form only, and those that are never primitive
_CANONICAL = frozenset((BOOLEAN, INTEGER, BIT_STRING, NULL, OID, ENUMERATED, SEQUENCE & 0x1F, SET & 0x1F))


def _check_primitive(data: bytes, tag: int, start: int, end: int) -> None:
    size = end - start
    wrong = (
        (tag == BOOLEAN and (size != 1 or data[start] not in (0, 255)))
        or (tag == NULL and size)
        or (tag in (INTEGER, ENUMERATED) and _padded(data[start:end]))
        or (tag == BIT_STRING and _loose_bits(data[start:end]))
        or (tag == OID and (not size or data[end - 1] & 0x80))
        or tag in (SEQUENCE & 0x1F, SET & 0x1F)
    )
    if wrong:
        raise MalformedDer(offset=start, reason="value is not canonical")


def _padded(value: bytes) -> bool:
    return not value or (len(value) > 1 and (value[0], value[1] >> 7) in ((0, 0), (255, 1)))


def _loose_bits(value: bytes) -> bool:
    if not value or value[0] > 7 or (value[0] and len(value) == 1):
        return True
    return bool(value[-1] & ((1 << value[0]) - 1)) if value[0] else False
