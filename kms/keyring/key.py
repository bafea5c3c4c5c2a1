"""What a service key is, as the rest of the platform sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from kms.generation.held import Held
from kms.info import Wrapped
from kms.keyring.errors import (
    OperationNotAllowed,
    ServiceKeyDestroyed,
    ServiceKeyEnding,
    VersionTooOld,
    VersionUnknown,
)
from kms.keyring.models import Condition, ServiceKeyVersionRow
from kms.models import Place
from yinxin import canonical
from yinxin.authz import Resource
from yinxin.clock import rfc3339
from yinxin.crypto.operations import KeyKind, Operation, kind_of

#: what is done by the older versions too, and only by the newer
_OPENING = frozenset({Operation.DECRYPT, Operation.VERIFY, Operation.VERIFY_MAC})


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A service key: everything but its secrets."""

    id: str
    name: str
    owner: str
    purpose: str
    kind: KeyKind
    operations: frozenset[Operation]
    place: Place
    condition: Condition
    latest: int
    min_decrypt: int
    min_encrypt: int
    created: datetime
    destroy_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """The key in this row of `ServiceKeyRow`."""
        return cls(
            id=row.id,
            name=row.name,
            owner=row.owner,
            purpose=row.purpose,
            kind=kind_of(row.algorithm),
            operations=frozenset(map(Operation, row.operations.split(","))),
            place=Place(row.place),
            condition=Condition(row.condition),
            latest=row.latest,
            min_decrypt=row.min_decrypt,
            min_encrypt=row.min_encrypt,
            created=row.created,
            destroy_at=row.destroy_at,
        )

    @property
    def resource(self) -> Resource:
        """The key as policies see it."""
        attributes = {"purpose": self.purpose, "algorithm": self.kind.name}
        return Resource("ServiceKey", self.name, organ=self.owner, attributes=attributes)

    def usable(self) -> None:
        """Raise ServiceKeyDestroyed or ServiceKeyEnding unless it may be used."""
        in_condition(self.name, self.condition, self.destroy_at)

    def allows(self, *operations: Operation) -> None:
        """Raise OperationNotAllowed unless it does all of these."""
        for operation in operations:
            if operation not in self.operations:
                raise OperationNotAllowed(
                    name=self.name,
                    algorithm=self.kind.name,
                    operation=operation.value,
                    allowed=", ".join(sorted(self.operations)),
                )

    def version_for(self, operation: Operation, version: int | None) -> int:
        """The version that does it, the newest where none is named; raises VersionUnknown or VersionTooOld."""
        chosen = self.latest if version is None else version
        if not 1 <= chosen <= self.latest:
            raise VersionUnknown(name=self.name, version=chosen, latest=self.latest)
        least = self.min_decrypt if operation in _OPENING else self.min_encrypt
        if chosen < least:
            raise VersionTooOld(name=self.name, version=chosen, least=least)
        return chosen

    def fields(self) -> dict[str, Any]:
        """The key as JSON: identifiers and public facts."""
        return {
            "name": self.name,
            "owner": self.owner,
            "purpose": self.purpose,
            "algorithm": self.kind.name,
            "suite": self.kind.suite.name,
            "operations": sorted(each.value for each in self.operations),
            "place": self.place.value,
            "condition": self.condition.value,
            "latest": self.latest,
            "min_decrypt": self.min_decrypt,
            "min_encrypt": self.min_encrypt,
            "created": rfc3339(self.created),
            "destroy_at": rfc3339(self.destroy_at) if self.destroy_at else None,
        }


def in_condition(name: str, condition: Condition, destroy_at: datetime | None) -> None:
    """Raise ServiceKeyDestroyed or ServiceKeyEnding for a key in this condition, unless it is active."""
    if condition is Condition.DESTROYED:
        raise ServiceKeyDestroyed(name=name)
    if condition is Condition.ENDING:
        raise ServiceKeyEnding(name=name, at=rfc3339(destroy_at) if destroy_at else "?")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a service key: its public key, if it is a pair, and its secret as ciphertext."""

    number: int
    created: datetime
    imported: bool
    spki: bytes | None
    destroyed: datetime | None
    wrapped: Wrapped | None = field(repr=False)

    @classmethod
    def of(cls, row: Any) -> Self:
        """The version in this row of `ServiceKeyVersionRow`."""
        wrapped = None
        if row.destroyed is None and row.kek and row.nonce and row.blob:
            wrapped = Wrapped(row.kek, row.nonce, row.blob)
        return cls(row.version, row.created, row.imported, row.spki, row.destroyed, wrapped)


def about(key: ServiceKey, version: int) -> dict[str, Any]:
    """What a version's wrapped secret is bound to: moved to another row, owner, purpose or algorithm it does not open."""
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "purpose": key.purpose,
        "algorithm": key.kind.name,
        "version": version,
    }


def bound(about_: Mapping[str, Any], kek: str) -> bytes:
    """That, with the wrapping key's label, in canonical bytes: the additional authenticated data."""
    return canonical.encode({"v": 1, "type": "kms.service-key", "kek": kek, **about_})


#: how the ciphertexts are bound, for rewrapping
HELD = Held(ServiceKeyVersionRow, lambda row, kek: bound(row.about, kek))
