"""A ciphertext as text that says whose it is: `yx:v1:<name>:<version>:<base64>`, and what it is bound to."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Self

from kms.keyring.errors import BadCiphertext
from yinxin import canonical
from yinxin.wire import base64_text

#: most characters that are looked at: a megabyte of plaintext
LONGEST = 1 << 21
_FORM = re.compile(r"yx:v1:([a-z0-9][a-z0-9.-]{0,47}):([1-9][0-9]{0,8}):([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """What `seal` gave, with the name and the version of the key."""

    name: str
    version: int
    sealed: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the one spelling that `str` writes; raises BadCiphertext."""
        found = _FORM.fullmatch(text) if len(text) <= LONGEST else None
        if found is None:
            raise BadCiphertext
        name, version, body = found.groups()
        try:
            sealed = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            raise BadCiphertext from None
        read = cls(name, int(version), sealed)
        if str(read) != text:  # base64 whose last bits are not zero: another spelling of the same octets
            raise BadCiphertext
        return read

    def __str__(self) -> str:
        return f"yx:v1:{self.name}:{self.version}:{base64_text(self.sealed)}"


def bound(name: str, version: int, algorithm: str, context: bytes) -> bytes:
    """What a ciphertext is bound to, in canonical JSON: moved to another key, version or context it does not open."""
    return canonical.encode(
        {
            "v": 1,
            "type": "kms.ciphertext",
            "key": name,
            "version": version,
            "algorithm": algorithm,
            "context": base64_text(context),
        }
    )
