"""Public keys of every kind behind one face: what a SubjectPublicKeyInfo says, and what its key verifies."""

import hashlib
from functools import lru_cache
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm as LibraryRefuses
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from yinxin.crypto import der, post_quantum, sm2
from yinxin.crypto import suite as suites
from yinxin.crypto.errors import BadSignature, MalformedDer, MalformedKey, UnsupportedAlgorithm
from yinxin.crypto.suite import HashAlgorithm, SignatureAlgorithm, Suite

_LibraryKey = (
    ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | rsa.RSAPublicKey
    | post_quantum.VerifyingKey
    | post_quantum.EncapsulationKey
)

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
#: made once: how an ECDSA key is told that it is given a message, or its digest
ECDSA = {name: ec.ECDSA(hash_) for name, hash_ in HASHES.items()}
ECDSA_PREHASHED = {name: ec.ECDSA(utils.Prehashed(hash_)) for name, hash_ in HASHES.items()}
_DEFAULTS = {
    "ecdsa-p256": suites.ECDSA_SHA256,
    "ecdsa-p384": suites.ECDSA_SHA384,
    "rsa": suites.RSA_SHA256,
    "ed25519": suites.ED25519,
    "sm2": suites.SM2_SM3,
    "ml-dsa-44": suites.ML_DSA_44,
    "ml-dsa-65": suites.ML_DSA_65,
    "ml-dsa-87": suites.ML_DSA_87,
}
_CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384"}
_SMALLEST_RSA = 2048  # bits, NIST SP 800-57 part 1
_RSA_ABOVE_SHA256 = 4096  # bits from which SHA-256 would be the weaker half (the same, table 2)

_SIGN = frozenset({"digitalSignature", "contentCommitment", "keyCertSign", "cRLSign"})
_AGREE = frozenset({"keyAgreement", "encipherOnly", "decipherOnly"})
_ENCRYPT = frozenset({"keyEncipherment", "dataEncipherment"})
#: by the RFC of each kind; SM2 keys do everything (GM/T 0015)
_USAGES = {
    "ecdsa-p256": _SIGN | _AGREE,  # RFC 8813 section 3
    "ecdsa-p384": _SIGN | _AGREE,
    "rsa": _SIGN | _ENCRYPT,  # RFC 4055 section 1.2
    "ed25519": _SIGN,  # RFC 9295 section 3
    "sm2": _SIGN | _AGREE | _ENCRYPT,
    "ml-dsa-44": _SIGN,  # RFC 9881 section 5
    "ml-dsa-65": _SIGN,
    "ml-dsa-87": _SIGN,
    "ml-kem-768": frozenset({"keyEncipherment"}),  # RFC 9935 section 5
    "ml-kem-1024": frozenset({"keyEncipherment"}),
}


@lru_cache(maxsize=1024)
def public_key(spki: bytes) -> "PublicKey":
    """The key in a DER SubjectPublicKeyInfo, which a request and its certificate both bring; raises as `PublicKey`."""
    return PublicKey(spki)


def suite_of(algorithm: str) -> Suite:
    """The suite that a kind of key belongs to, as in `PublicKey.algorithm`."""
    if algorithm == "sm2":
        return suites.SM
    return suites.PQ if algorithm.startswith("ml-") else suites.INTL


class PublicKey:
    """A public key, known by its DER SubjectPublicKeyInfo. Immutable; equal when the SubjectPublicKeyInfo is."""

    __slots__ = ("_default", "_elliptic", "_key", "algorithm", "key_id", "spki")

    #: DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7)
    spki: bytes
    #: "ecdsa-p256", "ecdsa-p384", "rsa", "ed25519", "sm2", "ml-dsa-44" (-65, -87) or "ml-kem-768" (-1024)
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
        # asked with every signature; what the library's keys are is an abstract class's to say, which takes long
        self._elliptic = self.algorithm in _CURVES.values()
        self._default = _DEFAULTS.get(self.algorithm)
        if isinstance(self._key, rsa.RSAPublicKey) and self._key.key_size >= _RSA_ABOVE_SHA256:
            self._default = suites.RSA_SHA384

    @classmethod
    def load(cls, spki: bytes) -> Self:
        """Read a DER SubjectPublicKeyInfo; raises MalformedKey or UnsupportedAlgorithm."""
        return cls(spki)

    @property
    def kind(self) -> str:
        """As `algorithm`; RSA with its size in bits, as in `Suite.signing_keys`."""
        return f"rsa-{self._key.key_size}" if isinstance(self._key, rsa.RSAPublicKey) else self.algorithm

    @property
    def suite(self) -> Suite:
        """The suite this kind of key belongs to."""
        return suite_of(self.algorithm)

    @property
    def signs(self) -> bool:
        """Whether this kind of key makes signatures; a key for encapsulation does not."""
        return self._default is not None

    @property
    def usages(self) -> frozenset[str]:
        """The key usages (RFC 5280 4.2.1.3) that this kind of key can be certified for."""
        return _USAGES[self.algorithm]

    @property
    def signature_algorithm(self) -> SignatureAlgorithm:
        """How this key signs unless an object says otherwise; raises UnsupportedAlgorithm when it makes no signatures."""
        if self._default is None:
            raise UnsupportedAlgorithm(what="signature", algorithm=self.algorithm)
        return self._default

    def verify(
        self,
        signature: bytes,
        message: bytes,
        algorithm: SignatureAlgorithm | None = None,
        *,
        what: str = "object",
    ) -> None:
        """Verify a DER (ECDSA, SM2) or raw (Ed25519, RSA, ML-DSA) signature over `message`; raises BadSignature.

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
        key: Any = self._key
        if self._elliptic:
            key.verify(signature, message, ECDSA[hash_.name])
        elif isinstance(key, sm2.SM2PublicKey):
            key.verify(signature, message)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), HASHES[hash_.name])
        elif isinstance(key, ed25519.Ed25519PublicKey | post_quantum.VerifyingKey):
            key.verify(signature, message)
        else:
            raise UnsupportedAlgorithm(what="signature", algorithm=self.algorithm)

    def prehash(self, message: bytes) -> bytes:
        """What a security module is given to sign: the digest, e = SM3(ZA ‖ M) for SM2, or μ for ML-DSA.

        Ed25519 signs the message itself, so it has none: UnsupportedAlgorithm.
        """
        if self._elliptic:
            return self.signature_algorithm.hash.digest(message)
        if isinstance(self._key, sm2.SM2PublicKey):
            return self._key.prehash(message)
        if isinstance(self._key, post_quantum.VerifyingKey):
            return post_quantum.representative(self._key, message)
        if self.algorithm == "ed25519":
            raise UnsupportedAlgorithm(what="prehash", algorithm="ed25519")
        return self.signature_algorithm.hash.digest(message)

    @property
    def prehash_size(self) -> int:
        """Octets that `prehash` gives; raises UnsupportedAlgorithm as it does."""
        if self.algorithm == "ed25519":
            raise UnsupportedAlgorithm(what="prehash", algorithm="ed25519")
        return self.signature_algorithm.hash.size  # of ML-DSA too: μ is as long as a SHA-512

    def verify_prehashed(self, signature: bytes, digest: bytes, *, what: str = "object") -> None:
        """As `verify` in this key's own way of signing, given what `prehash` gave; raises BadSignature."""
        key: Any = self._key
        if len(digest) != self.prehash_size:
            raise BadSignature(what=what)
        try:
            if self._elliptic:
                key.verify(signature, digest, ECDSA_PREHASHED[self.signature_algorithm.hash.name])
            elif isinstance(key, sm2.SM2PublicKey):
                key.verify_digest(signature, digest)
            elif isinstance(key, post_quantum.VerifyingKey):
                key.verify_mu(signature, digest)
            elif isinstance(key, rsa.RSAPublicKey):
                hash_ = utils.Prehashed(HASHES[self.signature_algorithm.hash.name])
                key.verify(signature, digest, padding.PKCS1v15(), hash_)
            else:
                raise UnsupportedAlgorithm(what="prehash", algorithm=self.algorithm)
        except (InvalidSignature, BadSignature) as error:
            raise BadSignature(what=what) from error

    def encapsulate(self) -> tuple[bytes, bytes]:
        """(shared secret of 32 octets, its encapsulation) for the holder of this key; raises UnsupportedAlgorithm."""
        if not isinstance(self._key, post_quantum.EncapsulationKey):
            raise UnsupportedAlgorithm(what="encapsulation", algorithm=self.algorithm)
        return self._key.encapsulate()

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
    if isinstance(key, post_quantum.VerifyingKey | post_quantum.EncapsulationKey):
        return key, post_quantum.name_of(key)
    raise UnsupportedAlgorithm(what="public key", algorithm=_told(key))


def _told(key: object) -> str:
    """A kind of key that is not accepted, as its owner would know it: RSA is accepted, a short one is not."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
