"""What is asked of a security module: octets and names go in and come out, so that it can be asked from anywhere.

Every operation may be repeated: signing and decrypting change nothing, a key is made under its identifier and made
once, and what is destroyed stays so. A caller that lost the answer asks again.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeyReference:
    """A key in the module: what errors call it, what kind it is, its CKA_ID, and its DER public key if it has one."""

    label: str
    algorithm: str
    identifier: bytes
    spki: bytes | None = None


@dataclass(frozen=True, slots=True)
class ProtectedKey:
    """A key outside the module: its PKCS#8 under AES-256-GCM, with what it is bound to; `label` is its name in errors."""

    label: str
    bound: bytes
    nonce: bytes
    blob: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rewrapping:
    """A ciphertext under one wrapping key, and what it is to be bound to, under which nonce, under another."""

    lying: ProtectedKey
    bound: bytes
    nonce: bytes


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What the token says of itself; none of it is secret."""

    label: str
    serial: str
    manufacturer: str
    library: str
    mechanisms: frozenset[str]
    #: those that it says are done in hardware (CKF_HW, PKCS#11 v3.1, 3.4)
    hardware: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key that the module holds: its CKA_ID, whether it never leaves, and its DER public key if that is there too.

    `stays`: the module says SENSITIVE and not EXTRACTABLE (PKCS#11 v3.1, 4.9).
    """

    identifier: bytes
    stays: bool
    spki: bytes | None


@dataclass(frozen=True, slots=True)
class TokenStanding:
    """How a token is: in use or standing by, or failed with the code of an error; what it says of itself, if it answers."""

    number: int
    label: str
    in_use: bool
    error: str | None
    facts: TokenFacts | None


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A key on its way between two tokens (`kms.engine.share`): never in the clear, and of no use to a third.

    `transport` is the transport key under the receiver's, `wrapped` the key under that, `public` what the token needs
    to hold the public half as well; `kept` is the transport key under that of a vault token, empty where there is none.
    """

    spki: bytes | None
    transport: bytes
    wrapped: bytes
    public: list[bytes]
    kept: bytes = b""


class Engine(Protocol):
    """A security module. All operations raise as `kms.token.Token.use` does, besides what they say themselves."""

    def facts(self) -> TokenFacts:
        """What the token says of itself."""
        ...

    def tokens(self) -> list[TokenStanding]:
        """How each of its tokens is."""
        ...

    def inventory(self) -> list[HeldKey]:
        """The private and secret keys that it holds."""
        ...

    def make_key(self, key: KeyReference) -> bytes | None:
        """Make the key that the reference names, unless it is there, whole; its public key, none for one that wraps.

        Only for a key that nobody has used yet: what is there and not whole is destroyed.
        """
        ...

    def destroy(self, key: KeyReference) -> None:
        """Destroy the key, with its public half; nothing to be done when it is not there."""
        ...

    def receiver(self) -> bytes:
        """The public key under which other tokens wrap keys for this one; made when it is first asked for."""
        ...

    def make_shared(self, key: KeyReference, receiver: bytes, vault: bytes) -> SharedKey:
        """As `make_key`, with the key wrapped for the token of this receiving key, and for a vault where one is given."""
        ...

    def take_shared(self, key: KeyReference, shared: SharedKey) -> bytes | None:
        """Hold the key that another token made; its public key."""
        ...

    def pass_on(self, shared: SharedKey, receiver: bytes) -> SharedKey:
        """A key that was wrapped for this token, wrapped for the token of this receiving key; it is not opened here."""
        ...

    def sign(self, key: KeyReference, content: bytes) -> bytes:
        """The signature as the platform writes it, over what `PublicKey.prehash` gave; of Ed25519 and ML-DSA, the message."""
        ...

    def encrypt(self, kek: KeyReference, nonce: bytes, bound: bytes, octets: bytes) -> bytes:
        """AES-256-GCM ciphertext and tag; `bound` is authenticated with it."""
        ...

    def decrypt(self, kek: KeyReference, protected: ProtectedKey) -> bytes:
        """What was encrypted; raises WrappedKeyAltered."""
        ...

    def rewrap(self, old: KeyReference, new: KeyReference, wanted: list[Rewrapping]) -> list[bytes]:
        """Each ciphertext as `encrypt` gives it under the new key, in order; empty for one that the old key does not open."""
        ...

    def make_protected(
        self, kek: KeyReference, algorithm: str, nonce: bytes, bound: bytes
    ) -> tuple[bytes, bytes]:
        """A new key beside the module: its DER public key, and its PKCS#8 as `encrypt` gives it."""
        ...

    def sign_protected(self, kek: KeyReference, protected: ProtectedKey, digest: bytes) -> bytes:
        """As `sign`, by a key beside the module, which is in memory for that moment; raises WrappedKeyAltered."""
        ...

    def open_envelope(
        self, kek: KeyReference, protected: ProtectedKey, envelope: bytes, recipient: bytes
    ) -> bytes:
        """The content of a DER EnvelopedData for the DER certificate `recipient`, by a key beside the module.

        Raises CannotDecrypt, WrappedKeyAltered.
        """
        ...

    def close(self) -> None:
        """Let the module go; it is opened again by the next use."""
        ...
