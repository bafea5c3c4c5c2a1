"""Keys of every kind behind one face: load, verify, sign; and the identity that a key and its certificate make.

A `Signer` is anything that signs with one public key: `PrivateKey` here, a handle in a security module elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from cryptography.exceptions import UnsupportedAlgorithm as LibraryRefuses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from yinxin.crypto import der, post_quantum, sm2
from yinxin.crypto import suite as suites
from yinxin.crypto.errors import (
    CannotDecrypt,
    KeyMismatch,
    MalformedDer,
    MalformedKey,
    UnsupportedAlgorithm,
)
from yinxin.crypto.public_key import ECDSA_PREHASHED, HASHES, PublicKey, public_key
from yinxin.crypto.suite import SignatureAlgorithm, Suite

__all__ = ["Identity", "PrivateKey", "PublicKey", "Signer", "linting_signature", "throwaway_key"]

if TYPE_CHECKING:
    from yinxin.crypto.certificates import Certificate

_LibraryPrivateKey = (
    ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | rsa.RSAPrivateKey
    | post_quantum.SigningKey
    | post_quantum.DecapsulationKey
)

_GENERATE: dict[str, Callable[[], _LibraryPrivateKey | sm2.SM2PrivateKey]] = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "sm2": sm2.SM2PrivateKey.generate,
    **post_quantum.GENERATE,
}


class Signer(Protocol):
    """Signs with one private key, wherever that key lives."""

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this signs."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: DER for ECDSA and SM2, raw for the others."""
        ...


def verified_by(signer: Signer) -> PublicKey | None:
    """The key by which the signer itself, in this process, verifies every signature before it gives it out; None if it does not."""
    found = getattr(signer, "verified_by", None)
    return found if isinstance(found, PublicKey) else None


@runtime_checkable
class Stating(Protocol):
    """A `Signer` elsewhere, whose every signature goes on record with what it is for."""

    def stating(self, purpose: str, subject: str) -> Signer:
        """The same signer for this act (`document.sign-off`) on this (`document:…`)."""
        ...


class PrivateKey:
    """A private key in process memory (`Signer`). Its repr shows the public key identifier only; it does not pickle."""

    __slots__ = ("_elliptic", "_key", "public_key")

    def __init__(self, key: _LibraryPrivateKey | sm2.SM2PrivateKey) -> None:
        self._key = key
        # asked with every signature
        self._elliptic = isinstance(key, ec.EllipticCurvePrivateKey)
        if isinstance(key, sm2.SM2PrivateKey):
            self.public_key = PublicKey(key.spki)
        else:
            spki = serialization.PublicFormat.SubjectPublicKeyInfo
            self.public_key = public_key(key.public_key().public_bytes(serialization.Encoding.DER, spki))

    @classmethod
    def generate(cls, kind: Suite | str) -> Self:
        """A new key of the suite's own kind, or of one named as in `Suite.signing_keys` and `encryption_keys`.

        Raises UnsupportedAlgorithm for another name.
        """
        name = kind if isinstance(kind, str) else kind.key_algorithm
        if name not in _GENERATE:
            raise UnsupportedAlgorithm(what="key", algorithm=name)
        return cls(_GENERATE[name]())

    @classmethod
    def load(cls, pkcs8: bytes, *, proved: bool = False) -> Self:
        """Read a DER PrivateKeyInfo of any kind of key; raises MalformedKey or UnsupportedAlgorithm.

        `proved`: see `SM2PrivateKey.load`; for keys that this process wrapped itself.
        """
        try:
            der.check(pkcs8)
            algorithm = der.elements(pkcs8)[1]
        except (MalformedDer, IndexError):
            raise MalformedKey(reason="not a DER PrivateKeyInfo") from None
        if algorithm == sm2.ALGORITHM:
            return cls(sm2.SM2PrivateKey.load(pkcs8, proved=proved))
        try:
            form = pkcs8 if proved else post_quantum.seed_only(pkcs8)
            key = serialization.load_der_private_key(
                form, password=None, unsafe_skip_rsa_key_validation=proved
            )
        except LibraryRefuses as error:
            raise UnsupportedAlgorithm(what="private key", algorithm=str(error)) from error
        except (MalformedDer, ValueError, TypeError, IndexError):
            raise MalformedKey(reason="not a readable PrivateKeyInfo") from None
        if not isinstance(key, _LibraryPrivateKey):
            raise UnsupportedAlgorithm(what="private key", algorithm=type(key).__name__)
        return cls(key)

    def pkcs8(self) -> bytes:
        """DER PrivateKeyInfo. Secret: the caller wraps it at once and lets it go."""
        if isinstance(self._key, sm2.SM2PrivateKey):
            return self._key.pkcs8()
        form = serialization.PrivateFormat.PKCS8
        return self._key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: DER for ECDSA and SM2, raw for the others; UnsupportedAlgorithm if it signs nothing."""
        if self.public_key.algorithm == "ed25519":
            signing: Any = self._key
            return bytes(signing.sign(message))
        return self.sign_prehashed(self.public_key.prehash(message))

    def sign_prehashed(self, digest: bytes) -> bytes:
        """The signature over what `PublicKey.prehash` gave; raises UnsupportedAlgorithm for Ed25519."""
        if self._elliptic:
            signing: Any = self._key
            return bytes(signing.sign(digest, ECDSA_PREHASHED[self.public_key.signature_algorithm.hash.name]))
        if isinstance(self._key, sm2.SM2PrivateKey):
            return self._key.sign_digest(digest)
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            raise UnsupportedAlgorithm(what="prehash", algorithm="ed25519")
        if isinstance(self._key, post_quantum.SigningKey):
            return self._key.sign_mu(digest)
        if isinstance(self._key, post_quantum.DecapsulationKey):
            raise UnsupportedAlgorithm(what="signature", algorithm=self.public_key.algorithm)
        rest: Any = self._key
        hash_ = utils.Prehashed(HASHES[self.public_key.signature_algorithm.hash.name])
        return bytes(rest.sign(digest, padding.PKCS1v15(), hash_))

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Open an SM2Cipher made for this key (GM/T 0009 7.2); raises CannotDecrypt, UnsupportedAlgorithm if not SM2."""
        if not isinstance(self._key, sm2.SM2PrivateKey):
            raise UnsupportedAlgorithm(what="decryption", algorithm=self.public_key.algorithm)
        return self._key.decrypt(ciphertext)

    def decapsulate(self, encapsulation: bytes) -> bytes:
        """The shared secret that `PublicKey.encapsulate` gave; raises CannotDecrypt, UnsupportedAlgorithm.

        A changed encapsulation of the right length gives another secret and no error (FIPS 203 section 6.3): what is
        encrypted under the secret must be authenticated.
        """
        if not isinstance(self._key, post_quantum.DecapsulationKey):
            raise UnsupportedAlgorithm(what="encapsulation", algorithm=self.public_key.algorithm)
        try:
            return self._key.decapsulate(encapsulation)
        except ValueError as error:
            raise CannotDecrypt(algorithm=self.public_key.algorithm) from error

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled")

    def __repr__(self) -> str:
        return f"<PrivateKey {self.public_key.algorithm} {self.public_key.key_id.hex()}>"


#: a kind of key that signs so, for objects whose signature counts for nothing
_SIGNS = {
    suites.ECDSA_SHA256: "ecdsa-p256",
    suites.ECDSA_SHA384: "ecdsa-p384",
    suites.RSA_SHA256: "rsa-3072",
    suites.RSA_SHA384: "rsa-4096",
    suites.ED25519: "ed25519",
    suites.SM2_SM3: "sm2",
    suites.ML_DSA_44: "ml-dsa-44",
    suites.ML_DSA_65: "ml-dsa-65",
    suites.ML_DSA_87: "ml-dsa-87",
}


def throwaway_key(algorithm: SignatureAlgorithm) -> PrivateKey:
    """A key that signs in this way, in no certificate and nobody's; of RSA one for the process, as making it takes long.

    Raises UnsupportedAlgorithm for an algorithm that no key here signs with.
    """
    if algorithm not in _SIGNS:
        raise UnsupportedAlgorithm(what="throwaway key", algorithm=algorithm.name)
    return (
        _lasting(_SIGNS[algorithm]) if algorithm.family == "rsa" else PrivateKey.generate(_SIGNS[algorithm])
    )


@cache
def linting_signature(algorithm: SignatureAlgorithm) -> bytes:
    """A signature of this form, over no octets and by a throwaway key; raises as `throwaway_key`.

    It stands in whatever is shown to a linter. One for the process: nobody trusts such a key, so what it has signed says no
    more than this, which is valid for nothing at all.
    """
    return throwaway_key(algorithm).sign(b"")


@cache
def _lasting(kind: str) -> PrivateKey:
    return PrivateKey.generate(kind)


@dataclass(frozen=True)
class Identity:
    """A key together with the certificate issued for it, and the certificates above that one.

    Raises KeyMismatch when the two do not belong together.
    """

    key: Signer = field(repr=False)
    certificate: Certificate
    #: from the issuer of `certificate` upwards; with or without the root
    chain: tuple[Certificate, ...] = ()

    def __post_init__(self) -> None:
        if self.key.public_key != self.certificate.public_key:
            raise KeyMismatch(subject=self.certificate.subject.text)

    def stating(self, purpose: str, subject: str) -> Identity:
        """The same identity, signing for this act on this: said where the key's signatures are recorded, else nothing."""
        key = self.key
        return replace(self, key=key.stating(purpose, subject)) if isinstance(key, Stating) else self

    def save_p12(self, path: Path, password: str) -> None:
        """Write a PKCS#12 file (mode 0600, whole or not at all); needs a `PrivateKey`, not a handle."""
        from yinxin.crypto.pkcs12 import save

        save(self, path, password)

    @classmethod
    def load_p12(cls, path: Path, password: str) -> Identity:
        """Read a PKCS#12 file; raises CannotOpenKeyFile when the password or the file is wrong."""
        from yinxin.crypto.pkcs12 import load

        return load(path, password)
