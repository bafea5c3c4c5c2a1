"""The operations of an engine that is somewhere else, each as one call by name."""

from abc import ABC, abstractmethod
from typing import Any

from kms.engine.engine import (
    HeldKey,
    KeyReference,
    ProtectedKey,
    Rewrapping,
    SharedKey,
    TokenFacts,
    TokenStanding,
)


class Calls(ABC):
    """`kms.engine.Engine`, for whoever says how a call travels."""

    @abstractmethod
    def call(self, operation: str, *arguments: Any) -> Any:
        """What `operation` gives; raises what it raises."""

    @abstractmethod
    def close(self) -> None:
        """See `Engine.close`."""

    def facts(self) -> TokenFacts:
        """See `Engine.facts`."""
        found: TokenFacts = self.call("facts")
        return found

    def tokens(self) -> list[TokenStanding]:
        """See `Engine.tokens`."""
        return list(self.call("tokens"))

    def inventory(self) -> list[HeldKey]:
        """See `Engine.inventory`."""
        return list(self.call("inventory"))

    def make_key(self, key: KeyReference) -> bytes | None:
        """See `Engine.make_key`."""
        made: bytes | None = self.call("make_key", key)
        return made

    def destroy(self, key: KeyReference) -> None:
        """See `Engine.destroy`."""
        self.call("destroy", key)

    def receiver(self) -> bytes:
        """See `Engine.receiver`."""
        return bytes(self.call("receiver"))

    def make_shared(self, key: KeyReference, receiver: bytes, vault: bytes) -> SharedKey:
        """See `Engine.make_shared`."""
        made: SharedKey = self.call("make_shared", key, receiver, vault)
        return made

    def take_shared(self, key: KeyReference, shared: SharedKey) -> bytes | None:
        """See `Engine.take_shared`."""
        spki: bytes | None = self.call("take_shared", key, shared)
        return spki

    def pass_on(self, shared: SharedKey, receiver: bytes) -> SharedKey:
        """See `Engine.pass_on`."""
        passed: SharedKey = self.call("pass_on", shared, receiver)
        return passed

    def sign(self, key: KeyReference, content: bytes) -> bytes:
        """See `Engine.sign`."""
        return bytes(self.call("sign", key, content))

    def encrypt(self, kek: KeyReference, nonce: bytes, bound: bytes, octets: bytes) -> bytes:
        """See `Engine.encrypt`."""
        return bytes(self.call("encrypt", kek, nonce, bound, octets))

    def decrypt(self, kek: KeyReference, protected: ProtectedKey) -> bytes:
        """See `Engine.decrypt`."""
        octets: bytes = self.call("decrypt", kek, protected)
        return octets

    def rewrap(self, old: KeyReference, new: KeyReference, wanted: list[Rewrapping]) -> list[bytes]:
        """See `Engine.rewrap`."""
        return list(self.call("rewrap", old, new, wanted))

    def make_protected(
        self, kek: KeyReference, algorithm: str, nonce: bytes, bound: bytes
    ) -> tuple[bytes, bytes]:
        """See `Engine.make_protected`."""
        spki, blob = self.call("make_protected", kek, algorithm, nonce, bound)
        return bytes(spki), bytes(blob)

    def sign_protected(self, kek: KeyReference, protected: ProtectedKey, digest: bytes) -> bytes:
        """See `Engine.sign_protected`."""
        return bytes(self.call("sign_protected", kek, protected, digest))

    def open_envelope(
        self, kek: KeyReference, protected: ProtectedKey, envelope: bytes, recipient: bytes
    ) -> bytes:
        """See `Engine.open_envelope`."""
        return bytes(self.call("open_envelope", kek, protected, envelope, recipient))
