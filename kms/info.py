"""What a key is, as the rest of the platform sees it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from kms.engine.engine import KeyReference
from kms.models import Place, Purpose, State
from yinxin.clock import rfc3339
from yinxin.crypto.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A secret key as AES-256-GCM ciphertext under the key labelled `kek`; of no use without the module."""

    kek: str
    nonce: bytes
    blob: bytes


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key: everything but its secret."""

    id: str
    label: str
    purpose: Purpose
    algorithm: str
    suite: str
    owner: str
    place: Place
    state: State
    created: datetime
    public_key: PublicKey | None
    wrapped: Wrapped | None = field(repr=False)

    @classmethod
    def of(cls, row: Any) -> Self:
        """The key in this row of `KeyRow`."""
        wrapped = None
        if row.kek is not None and row.nonce is not None and row.blob is not None:
            wrapped = Wrapped(row.kek, row.nonce, row.blob)
        return cls(
            id=row.id,
            label=row.label,
            purpose=Purpose(row.purpose),
            algorithm=row.algorithm,
            suite=row.suite,
            owner=row.owner,
            place=Place(row.place),
            state=State(row.state),
            created=row.created,
            public_key=PublicKey.load(row.spki) if row.spki else None,
            wrapped=wrapped,
        )

    @property
    def handle(self) -> bytes:
        """The key's CKA_ID in the module."""
        return self.id.encode("ascii")

    @property
    def reference(self) -> KeyReference:
        """The key as the security module is asked for it."""
        spki = self.public_key.spki if self.public_key else None
        return KeyReference(self.label, self.algorithm, self.handle, spki)

    def fields(self) -> dict[str, Any]:
        """The key as JSON, for commands and the log: identifiers and public facts."""
        fields = {
            "id": self.id,
            "label": self.label,
            "purpose": self.purpose.value,
            "algorithm": self.algorithm,
            "suite": self.suite,
            "owner": self.owner,
            "place": self.place.value,
            "state": self.state.value,
            "created": rfc3339(self.created),
        }
        if self.public_key is not None:
            fields["key_id"] = self.public_key.key_id.hex()
        return fields
