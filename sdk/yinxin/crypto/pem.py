"""Textual encoding (RFC 7468): strict labels, strict base64, text between the blocks passed over."""

import base64
import binascii
import re
from collections.abc import Iterable

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n([A-Za-z0-9+/=\s]*?)-----END \1-----")


def encode(label: str, data: bytes) -> str:
    """One block of 64-character lines, newline at its end."""
    text = base64.b64encode(data).decode()
    lines = (text[i : i + 64] for i in range(0, len(text), 64))
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def decode(label: str, text: bytes) -> list[bytes]:
    """The blocks with this label, in order; ValueError when one of them is no base64."""
    return list(_decode(label.encode(), text))


def _decode(label: bytes, text: bytes) -> Iterable[bytes]:
    for found, body in _BLOCK.findall(text):
        if found == label:
            try:
                yield base64.b64decode(b"".join(body.split()), validate=True)
            except binascii.Error as error:
                raise ValueError("a block is not base64") from error


def is_pem(data: bytes) -> bool:
    """Whether `data` is to be read as text: DER objects of this kit all begin with a SEQUENCE."""
    return not data.startswith(b"\x30") and b"-----BEGIN " in data
