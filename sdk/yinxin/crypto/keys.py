"""Keys of every kind behind one face: load, verify, sign; and the identity that a key and its certificate make.

A `Signer` is anything that signs with one public key: `PrivateKey` here, a handle in a security module elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm as LibraryRefuses
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from yinxin.crypto import der, sm2
from yinxin.crypto import suite as suites
from yinxin.crypto.errors import BadSignature, KeyMismatch, MalformedDer, MalformedKey, UnsupportedAlgorithm
from yinxin.crypto.suite import HashAlgorithm, SignatureAlgorithm, Suite

if TYPE_CHECKING:
    from yinxin.crypto.certificates import Certificate

_LibraryKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
_LibraryPrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_DEFAULTS = {
    "ecdsa-p256": suites.ECDSA_SHA256,
    "ecdsa-p384": suites.ECDSA_SHA384,
    "rsa": suites.RSA_SHA256,
    "ed25519": suites.ED25519,
    "sm2": suites.SM2_SM3,
}
_CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384"}
_SMALLEST_RSA = 2048  # bits, NIST SP 800-57 part 1


class PublicKey:
    """A public key, known by its DER SubjectPublicKeyInfo. Immutable; equal when the SubjectPublicKeyInfo is."""

    __slots__ = ("_key", "algorithm", "key_id", "spki")

    #: DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7)
    spki: bytes
    #: "ecdsa-p256", "ecdsa-p384", "rsa", "ed25519" or "sm2"
    algorithm: str
    #: SHA-1 of the BIT STRING's octets (RFC 5280 4.2.1.2 method 1): the subject key identifier
    key_id: bytes

    def __init__(self, spki: bytes) -> None:
        """Read a DER SubjectPublicKeyInfo; raises MalformedKey or UnsupportedAlgorithm."""
        try:
            der.check(spki)
            algorithm, bits = der.elements(spki)
            octets = der.octets_of_bits(bits)
        except (MalformedDer, ValueError) as error:
            raise MalformedKey(reason="not a DER SubjectPublicKeyInfo") from error
        self.spki = spki
        self.key_id = hashlib.sha1(octets, usedforsecurity=False).digest()
        self._key: _LibraryKey | sm2.SM2PublicKey
        if algorithm == sm2.ALGORITHM:
            self._key, self.algorithm = sm2.SM2PublicKey(spki), "sm2"
        else:
            self._key, self.algorithm = _load_by_library(spki)

    @classmethod
    def load(cls, spki: bytes) -> Self:
        """Read a DER SubjectPublicKeyInfo; raises MalformedKey or UnsupportedAlgorithm."""
        return cls(spki)

    @property
    def suite(self) -> Suite:
        """The suite this kind of key belongs to."""
        return suites.SM if self.algorithm == "sm2" else suites.INTL

    @property
    def signature_algorithm(self) -> SignatureAlgorithm:
        """How this key signs unless an object says otherwise."""
        return _DEFAULTS[self.algorithm]

    def verify(
        self,
        signature: bytes,
        message: bytes,
        algorithm: SignatureAlgorithm | None = None,
        *,
        what: str = "object",
    ) -> None:
        """Verify a DER (ECDSA, SM2) or raw (Ed25519, RSA) signature over `message`; raises BadSignature.

        `algorithm` is what the signed object claims; one that this kind of key cannot have used is UnsupportedAlgorithm.
        """
        algorithm = algorithm or self.signature_algorithm
        if algorithm.family != self.signature_algorithm.family:
            raise UnsupportedAlgorithm(what=what, algorithm=f"{algorithm.name} with a {self.algorithm} key")
        try:
            self._verify(signature, message, algorithm.hash)
        except (InvalidSignature, BadSignature) as error:
            raise BadSignature(what=what) from error

    def _verify(self, signature: bytes, message: bytes, hash_: HashAlgorithm) -> None:
        key = self._key
        if isinstance(key, sm2.SM2PublicKey):
            key.verify(signature, message)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_HASHES[hash_.name]))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), _HASHES[hash_.name])
        else:
            key.verify(signature, message)

    def prehash(self, message: bytes) -> bytes:
        """What a security module is given to sign: the digest, or e = SM3(ZA ‖ M) for SM2.

        Ed25519 signs the message itself, so it has none: UnsupportedAlgorithm.
        """
        if isinstance(self._key, sm2.SM2PublicKey):
            return self._key.prehash(message)
        if self.algorithm == "ed25519":
            raise UnsupportedAlgorithm(what="prehash", algorithm="ed25519")
        return self.signature_algorithm.hash.digest(message)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)

    def __repr__(self) -> str:
        return f"<PublicKey {self.algorithm} {self.key_id.hex()}>"


def _load_by_library(spki: bytes) -> tuple[_LibraryKey, str]:
    try:
        key = serialization.load_der_public_key(spki)
    except LibraryRefuses as error:
        raise UnsupportedAlgorithm(what="public key", algorithm=str(error)) from error
    except ValueError as error:
        raise MalformedKey(reason=str(error)) from error
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return key, _CURVES[key.curve.name]
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key, "ed25519"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA:
        return key, "rsa"
    raise UnsupportedAlgorithm(what="public key", algorithm=type(key).__name__)


class Signer(Protocol):
    """Signs with one private key, wherever that key lives."""

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this signs."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: DER for ECDSA and SM2, raw for Ed25519."""
        ...


class PrivateKey:
    """A private key in process memory (`Signer`). Its repr shows the public key identifier only; it does not pickle."""

    __slots__ = ("_key", "public_key")

    def __init__(self, key: _LibraryPrivateKey | sm2.SM2PrivateKey) -> None:
        self._key = key
        if isinstance(key, sm2.SM2PrivateKey):
            self.public_key = PublicKey(key.spki)
        else:
            spki = serialization.PublicFormat.SubjectPublicKeyInfo
            self.public_key = PublicKey(key.public_key().public_bytes(serialization.Encoding.DER, spki))

    @classmethod
    def generate(cls, suite: Suite) -> Self:
        """A new key of the suite's kind."""
        return cls(
            sm2.SM2PrivateKey.generate() if suite is suites.SM else ec.generate_private_key(ec.SECP256R1())
        )

    @classmethod
    def load(cls, pkcs8: bytes, *, proved: bool = False) -> Self:
        """Read a DER PrivateKeyInfo (P-256, P-384, Ed25519, SM2); raises MalformedKey or UnsupportedAlgorithm.

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
            key = serialization.load_der_private_key(pkcs8, password=None)
        except LibraryRefuses as error:
            raise UnsupportedAlgorithm(what="private key", algorithm=str(error)) from error
        except (ValueError, TypeError):
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
        """The signature over `message`: DER for ECDSA and SM2, raw for Ed25519."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        return self.sign_prehashed(self.public_key.prehash(message))

    def sign_prehashed(self, digest: bytes) -> bytes:
        """The signature over what `PublicKey.prehash` gave; raises UnsupportedAlgorithm for Ed25519."""
        if isinstance(self._key, sm2.SM2PrivateKey):
            return self._key.sign_digest(digest)
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            raise UnsupportedAlgorithm(what="prehash", algorithm="ed25519")
        hash_ = _HASHES[self.public_key.signature_algorithm.hash.name]
        return self._key.sign(digest, ec.ECDSA(utils.Prehashed(hash_)))

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Open an SM2Cipher made for this key (GM/T 0009 7.2); raises CannotDecrypt, UnsupportedAlgorithm if not SM2."""
        if not isinstance(self._key, sm2.SM2PrivateKey):
            raise UnsupportedAlgorithm(what="decryption", algorithm=self.public_key.algorithm)
        return self._key.decrypt(ciphertext)

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled")

    def __repr__(self) -> str:
        return f"<PrivateKey {self.public_key.algorithm} {self.public_key.key_id.hex()}>"


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

    def save_p12(self, path: Path, password: str) -> None:
        """Write a PKCS#12 file (mode 0600, whole or not at all); needs a `PrivateKey`, not a handle."""
        from yinxin.crypto.pkcs12 import save

        save(self, path, password)

    @classmethod
    def load_p12(cls, path: Path, password: str) -> Identity:
        """Read a PKCS#12 file; raises CannotOpenKeyFile when the password or the file is wrong."""
        from yinxin.crypto.pkcs12 import load

        return load(path, password)
