"""TTLV, the encoding of KMIP (1.2, 9.1): tag, type, length, value, each value padded to a multiple of eight octets.

What is read is hostile: every length is held to what is there, structures nest so deep and no deeper, and there is one
spelling of every value – padding is zero, a truth value is 0 or 1, text is UTF-8. What is written is made in one buffer
of the right size, so that keys in it leave no copies behind.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from kms.kmip.errors import KmipInvalidMessage
from yinxin.text import Text

#: structures within each other; a request for a wrapped key has eight
_DEEPEST = 12
_HEAD = 8
#: tags of the standard and of vendors begin so
_SPACES = (0x42, 0x54)


class Type(IntEnum):
    """How a value is encoded (9.1.1.2)."""

    STRUCTURE = 1
    INTEGER = 2
    LONG = 3
    BIG = 4
    ENUMERATION = 5
    BOOLEAN = 6
    TEXT = 7
    OCTETS = 8
    INSTANT = 9
    INTERVAL = 10


#: types whose length never differs
_FIXED = {
    Type.INTEGER: 4,
    Type.LONG: 8,
    Type.ENUMERATION: 4,
    Type.BOOLEAN: 8,
    Type.INSTANT: 8,
    Type.INTERVAL: 4,
}
_SIGNED = frozenset({Type.INTEGER, Type.LONG, Type.BIG, Type.INSTANT})


@dataclass(frozen=True, slots=True)
class Item:
    """A value with its tag.

    Its value is a tuple of items for a structure, text, octets, a truth value, and a whole number for all others: of an
    instant the seconds since 1970.
    """

    tag: int
    type: Type
    value: Any = field(repr=False)


def decode(octets: bytes) -> Item:
    """The one item that `octets` is; raises KmipInvalidMessage."""
    item, end = _item(octets, 0, len(octets), 0)
    if end != len(octets):
        raise _wrong("消息之后还有字节", "octets follow the message")
    return item


def size(item: Item) -> int:
    """How many octets it takes when encoded."""
    return _HEAD + _padded(_length(item))


def encode(item: Item) -> bytearray:
    """The item's octets; whoever puts a secret into an item cleanses them."""
    made = bytearray(size(item))
    _write(made, 0, item)
    return made


# --- reading -----------------------------------------------------------------------------------------------------


def _item(octets: bytes, at: int, limit: int, depth: int) -> tuple[Item, int]:
    """The item at `at`, and where the next begins; it ends at `limit` at the latest."""
    if limit - at < _HEAD:
        raise _wrong("内容不完整", "an item is cut off")
    tag = int.from_bytes(octets[at : at + 3], "big")
    if octets[at] not in _SPACES:
        raise _wrong(f"没有标签 {tag:06x}", f"there is no tag {tag:06x}")
    try:
        type_ = Type(octets[at + 3])
    except ValueError:
        raise _wrong(f"{tag:06x} 的类型不存在", f"{tag:06x} has a type that does not exist") from None
    length, begin = int.from_bytes(octets[at + 4 : at + 8], "big"), at + _HEAD
    if type_ in _FIXED and length != _FIXED[type_]:
        raise _wrong(f"{tag:06x} 的长度不对", f"{tag:06x} has a wrong length")
    end = begin + _padded(length)
    if end > limit:
        raise _wrong(f"{tag:06x} 超出其外层", f"{tag:06x} is longer than what it is in")
    if any(octets[begin + length : end]):
        raise _wrong(f"{tag:06x} 的填充不为零", f"{tag:06x} is padded with something")
    if type_ is Type.STRUCTURE:
        if length % 8:
            raise _wrong(f"{tag:06x} 的长度不对", f"{tag:06x} has a wrong length")
        return Item(tag, type_, _parts(octets, begin, end, depth)), end
    return Item(tag, type_, _value(tag, type_, octets[begin : begin + length])), end


def _parts(octets: bytes, at: int, end: int, depth: int) -> tuple[Item, ...]:
    if depth >= _DEEPEST:
        raise _wrong("嵌套过深", "structures nest too deep")
    found = []
    while at < end:
        item, at = _item(octets, at, end, depth + 1)
        found.append(item)
    return tuple(found)


def _value(tag: int, type_: Type, octets: bytes) -> Any:
    if type_ is Type.OCTETS:
        return octets
    if type_ is Type.TEXT:
        try:
            text = octets.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise _wrong(f"{tag:06x} 不是文本", f"{tag:06x} is no text")
        return text
    if type_ is Type.BIG and (not octets or len(octets) % 8):
        raise _wrong(f"{tag:06x} 的长度不对", f"{tag:06x} has a wrong length")
    number = int.from_bytes(octets, "big", signed=type_ in _SIGNED)
    if type_ is not Type.BOOLEAN:
        return number
    if number > 1:
        raise _wrong(f"{tag:06x} 非真非假", f"{tag:06x} is neither true nor false")
    return bool(number)


def _wrong(zh: str, en: str) -> KmipInvalidMessage:
    return KmipInvalidMessage(reason=Text(zh, en))


# --- writing -----------------------------------------------------------------------------------------------------


def _padded(length: int) -> int:
    return -(-length // 8) * 8


def _length(item: Item) -> int:
    value = item.value
    if item.type is Type.STRUCTURE:
        return sum(map(size, value))
    if item.type is Type.OCTETS:
        return len(value)
    if item.type is Type.TEXT:
        return len(value.encode())
    return _FIXED[item.type] if item.type is not Type.BIG else (int(value).bit_length() // 64 + 1) * 8


def _write(into: bytearray, at: int, item: Item) -> int:
    """Where the next item begins."""
    length, begin = _length(item), at + _HEAD
    into[at : at + 3] = item.tag.to_bytes(3, "big")
    into[at + 3] = item.type
    into[at + 4 : begin] = length.to_bytes(4, "big")
    if item.type is Type.STRUCTURE:
        for each in item.value:
            begin = _write(into, begin, each)
        return begin
    if item.type is Type.OCTETS:
        into[begin : begin + length] = item.value
    elif item.type is Type.TEXT:
        into[begin : begin + length] = item.value.encode()
    else:
        number = int(item.value)
        into[begin : begin + length] = number.to_bytes(length, "big", signed=item.type in _SIGNED)
    return begin + _padded(length)
