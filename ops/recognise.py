"""Recognising a plain request: one that every reader of HTTP takes for the same, and that the quick way may be for.

This is no parser of HTTP. It takes one narrow form (RFC 9112: an origin-form target of plain characters, known fields once each,
a length in digits, nothing transferred otherwise) and gives way for whatever else there is, so that what it takes means the
same to the server's own parser. Whatever that parser would refuse, or might read otherwise, is left to it.
"""

import re
from dataclasses import dataclass

#: octets of a head; the server's own parser bears more
LONGEST_HEAD = 4000
_END = b"\r\n\r\n"
_LINE = re.compile(rb"POST (/[A-Za-z0-9._~/-]+) HTTP/1\.1")
#: all that a head is made of besides the ends of its lines: no tab, no control character, nothing beyond ASCII
_CLEAN = re.compile(rb"[ -~\r\n]+")
_DIGITS = re.compile(rb"[0-9]{1,7}")
_JSON = b"application/json"
#: of a request that is believed by its own signature (RFC 8555 6.2), and by nobody's token
_JOSE = b"application/jose+json"
#: fields that change nothing about an operation's answer, or are read here; any other is judged by the ordinary way
_FIELDS = frozenset({
    *(b"host", b"authorization", b"content-type", b"content-length", b"connection"),
    *(b"accept", b"accept-encoding", b"accept-language", b"user-agent", b"idempotency-key"),
    *(b"traceparent", b"tracestate"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a plain POST of JSON: its path, what the fields say, and the octets of head and body.

    Of one that is `signed` itself the `authorization` is empty, and it says nothing of languages.
    """

    target: str
    host: str
    authorization: str
    size: int
    length: int
    idempotency_key: str = ""
    signed: bool = False


def recognise(data: bytes | bytearray) -> Head | None:
    """The head that the data begins with; None where it is not complete, or not plain."""
    end = data.find(_END, 0, LONGEST_HEAD)
    if end < 0:
        return None
    head = bytes(data[:end])
    lines = head.split(b"\r\n")
    ends = len(lines) - 1
    line = _LINE.fullmatch(lines[0])
    if (
        line is None
        or head.count(b"\n") != ends
        or head.count(b"\r") != ends
        or _CLEAN.fullmatch(head) is None
    ):
        return None
    fields: dict[bytes, bytes] = {}
    for each in lines[1:]:
        name, _, value = each.partition(b":")
        name = name.lower()
        if name not in _FIELDS or name in fields:
            return None
        fields[name] = value.strip(b" ")
    length = fields.get(b"content-length", b"")
    authorization, signed = fields.get(b"authorization", b""), fields.get(b"content-type") == _JOSE
    if (
        (not signed and fields.get(b"content-type") != _JSON)
        or _DIGITS.fullmatch(length) is None
        or fields.get(b"connection", b"keep-alive").lower() != b"keep-alive"
        or not (host := fields.get(b"host"))
        or bool(authorization) is signed
        or (signed and (b"idempotency-key" in fields or b"accept-language" in fields))
    ):
        return None
    target, size = line[1].decode(), end + len(_END)
    key = fields.get(b"idempotency-key", b"").decode()
    return Head(target, host.decode(), authorization.decode(), size, int(length), key, signed)
