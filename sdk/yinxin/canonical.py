"""Canonical JSON (RFC 8785), restricted to text, integers, booleans, null, lists and objects.

Floats are refused: what is signed and logged must have one spelling in every language.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import rfc8785

from yinxin.errors import Invalid

#: nesting deeper than this is an attack, not a record
MAX_DEPTH = 32
#: larger integers are not the same number in every language (RFC 8785 3.2.2.3, I-JSON)
LARGEST = 2**53 - 1
_SIGNS = len(str(-LARGEST))


class NotCanonical(Invalid):
    """Bytes that are not the canonical form of what they say."""

    code = "canonical.not_canonical"
    zh = "内容不是规范的 JSON（RFC 8785）：{reason}。"
    en = "The content is not canonical JSON (RFC 8785): {reason}."


def encode(value: Any) -> bytes:
    """The one spelling of `value`; raises NotCanonical for floats, foreign types and integers beyond ±(2^53 - 1)."""
    plain = _check(value, 0)
    try:
        if not plain:
            return rfc8785.dumps(value)
        return _write(value).encode()
    except (rfc8785.CanonicalizationError, ValueError) as error:
        raise NotCanonical(reason=str(error)) from error


def decode(data: bytes) -> Any:
    """Read canonical bytes back; raises NotCanonical when re-encoding would not give the same bytes."""
    try:
        text = data.decode()
        value, _ = _DECODER.raw_decode(
            text
        )  # where something follows the value, its canonical form is another text
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical(reason="malformed JSON") from error
    # Read like that it holds no number that has no canonical form. Shallow, and without a character beyond the BMP, the
    # only ones that order keys otherwise (RFC 8785 3.2.3), it needs no look at every part: the log reads all it enters.
    shallow = data.count(b"{") + data.count(b"[") <= MAX_DEPTH
    if shallow and (text.isascii() or _BEYOND_BMP.search(data) is None) and _write(value) == text:
        return value
    if encode(value) != data:
        raise NotCanonical(reason="another spelling of the same value")
    return value


def reread(data: bytes) -> Any:
    """Read canonical bytes that were read strictly before, as everything in the log was; raises ValueError for what is no JSON."""
    return _DECODER.raw_decode(data.decode())[0]


#: the first octet of a character beyond the Basic Multilingual Plane in UTF-8
_BEYOND_BMP = re.compile(rb"[\xf0-\xf4]")


def _no_number(text: str) -> Any:
    raise NotCanonical(reason=f"{text[:20]} is no integer")


def _integer(text: str) -> int:
    if len(text) <= _SIGNS:
        value = int(text)
        if -LARGEST <= value <= LARGEST:
            return value
    raise NotCanonical(reason=f"an integer beyond ±{LARGEST}")


def _check(value: Any, depth: int) -> bool:
    """Refuse what has no canonical form; whether every key is ASCII.

    Such keys sort alike by code points and by UTF-16 units (RFC 8785 3.2.3), and the standard library escapes text as
    3.2.2.2 wants, so its encoder in C gives the canonical form, six times as fast. Every act and entry passes here.
    """
    if depth > MAX_DEPTH:
        raise NotCanonical(reason="too deep")
    if value is None or isinstance(value, str):
        return True
    plain = True
    if isinstance(value, dict):
        try:
            plain = "".join(value).isascii()
        except TypeError:
            raise NotCanonical(reason="a key that is no text") from None
        value = value.values()
    elif not isinstance(value, list | tuple):
        if not isinstance(value, int):
            raise NotCanonical(reason=f"a value of type {type(value).__name__}")
        if abs(value) > LARGEST:
            raise NotCanonical(reason=f"an integer beyond ±{LARGEST}")
        return True
    for item in value:
        if type(item) is not str:
            plain &= _check(item, depth + 1)
    return plain


def _writer() -> Callable[[Any], str]:
    """The standard library's encoder, made once: `json.dumps`, and `JSONEncoder.encode` too, make one for every call."""
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    # no record of what contains itself: what is written was looked through to its depth, or has just been read
    parts = make(None, encoder.default, json.encoder.encode_basestring, None, ":", ",", True, False, True)
    return lambda value: "".join(parts(value, 0))


_DECODER = json.JSONDecoder(parse_float=_no_number, parse_constant=_no_number, parse_int=_integer)
_write = _writer()
#: a text as it stands in canonical JSON (RFC 8785 3.2.2.2): for what writes a form of its own around it
quoted: Callable[[str], str] = json.encoder.encode_basestring
