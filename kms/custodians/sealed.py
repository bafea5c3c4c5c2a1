"""The file with the sealed secrets: who holds shares of its key, and the secrets, authenticated with all of that.

Canonical JSON (RFC 8785). The key is 256 random bits and only ever in shares; nothing in the file is secret without it.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kms.custodians.errors import NoCustodians, SealedFileAltered
from yinxin import canonical, files
from yinxin.crypto import aead
from yinxin.crypto.errors import CannotDecrypt
from yinxin.crypto.suite import INTL
from yinxin.text import Text

#: its name in the folder of secrets
FILE = "custodians.json"
_FORMAT = "yinxin custodians 1"
#: octets; larger is none of ours
_LARGEST = 1 << 16


@dataclass(frozen=True)
class Custodian:
    """Who holds which share: its number from 1, its fingerprint, and the person of the directory, if one was named."""

    number: int
    fingerprint: str
    person: str

    def fields(self) -> dict[str, Any]:
        """As the file and the commands show it."""
        return {"number": self.number, "fingerprint": self.fingerprint, "person": self.person}


@dataclass(frozen=True)
class SealedSet:
    """One set of custodians, and the secrets under their shares."""

    set: str
    made: str
    threshold: int
    custodians: tuple[Custodian, ...]
    sealed: bytes

    @classmethod
    def seal(
        cls,
        key: bytes,
        secrets: Mapping[str, str],
        *,
        identifier: str,
        made: str,
        threshold: int,
        custodians: tuple[Custodian, ...],
    ) -> Self:
        """The secrets under `key`, bound to everything else that stands in the file."""
        empty = cls(identifier, made, threshold, custodians, b"")
        sealed = aead.seal(INTL, key, canonical.encode(dict(secrets)), empty._associated())
        return cls(identifier, made, threshold, custodians, sealed)

    def open(self, key: bytes, file: Path) -> dict[str, str]:
        """The secrets by name; raises SealedFileAltered."""
        try:
            secrets = canonical.decode(aead.open_sealed(INTL, key, self.sealed, self._associated()))
        except (CannotDecrypt, ValueError) as error:
            reason = Text("不能用份额打开", "it does not open with the shares")
            raise SealedFileAltered(file=str(file), reason=reason) from error
        return {str(name): str(value) for name, value in secrets.items()}

    @classmethod
    def load(cls, file: Path) -> Self:
        """What the file says; raises NoCustodians, SealedFileAltered."""
        try:
            with file.open("rb") as stream:
                data = stream.read(_LARGEST + 1)
        except OSError as error:
            raise NoCustodians(file=str(file)) from error
        try:
            said = canonical.decode(data)
            found = cls(
                said["set"],
                said["made"],
                said["threshold"],
                tuple(
                    Custodian(each["number"], each["fingerprint"], each["person"])
                    for each in said["custodians"]
                ),
                base64.b64decode(said["sealed"], validate=True),
            )
            whole = found._bytes() == data
        except (ValueError, KeyError, TypeError, canonical.NotCanonical):
            whole = False
        if not whole:
            raise SealedFileAltered(file=str(file), reason=Text("格式不对", "its form is not ours"))
        return found

    def write(self, file: Path) -> None:
        """In place of what is there: after a power cut either set is there, whole."""
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.replace(file, self._bytes(), mode=0o600)

    def holder(self, fingerprint: str) -> Custodian | None:
        """Who holds this share, if it is of this set."""
        return next((each for each in self.custodians if each.fingerprint == fingerprint), None)

    def fields(self) -> dict[str, Any]:
        """What may be shown: all but the sealed octets."""
        return {
            "set": self.set,
            "made": self.made,
            "threshold": self.threshold,
            "custodians": [each.fields() for each in self.custodians],
        }

    def _associated(self) -> bytes:
        return canonical.encode({"format": _FORMAT, "suite": INTL.name, **self.fields()})

    def _bytes(self) -> bytes:
        sealed = base64.b64encode(self.sealed).decode()
        return canonical.encode({"format": _FORMAT, "suite": INTL.name, **self.fields(), "sealed": sealed})
