"""Algorithms by name. Nothing outside this folder names an algorithm; it takes a suite and asks.

`intl`: ECDSA P-256, SHA-256, AES-256-GCM. `sm`: SM2, SM3, SM4-GCM (GM/T 0003, 0004, 0002). `pq`: ML-DSA-65 (FIPS 204),
SHA-512, AES-256-GCM, ML-KEM-768 (FIPS 203). Each suite has further kinds of key, and a key signs with the algorithm
that fits it. A new suite is a new entry here and a new key kind in `keys.py`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from cryptography.hazmat.primitives import hashes

from yinxin.crypto import der, oids
from yinxin.crypto.errors import UnknownSuite, UnsupportedAlgorithm

KeyFamily = Literal["ec", "rsa", "ed25519", "sm2", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"]


def _sm3(data: bytes) -> bytes:
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def _by_hashlib(name: str) -> Callable[[bytes], bytes]:
    fresh = hashlib.new(name)

    def digest(data: bytes) -> bytes:
        state = fresh.copy()  # which costs half of what looking the algorithm up does
        state.update(data)
        return state.digest()

    return digest


_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha384": lambda data: hashlib.sha384(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
    # hashlib's SM3 depends on how Python was built, and takes half the time where it is there
    "sm3": _by_hashlib("sm3") if "sm3" in hashlib.algorithms_available else _sm3,
}


class Running(Protocol):
    """A digest over octets as they come."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _RunningSm3:
    """SM3 where hashlib has none."""

    def __init__(self) -> None:
        self._state = hashes.Hash(hashes.SM3())

    def update(self, data: bytes, /) -> None:
        self._state.update(data)

    def digest(self) -> bytes:
        return self._state.copy().finalize()


@dataclass(frozen=True)
class HashAlgorithm:
    """A hash function: its name, object identifier and digest size in octets."""

    name: str
    oid: str
    size: int

    def digest(self, data: bytes) -> bytes:
        """The digest of `data`."""
        return _DIGESTS[self.name](data)

    def running(self) -> Running:
        """A digest that is fed piece by piece, for what is not held in memory."""
        if self.name not in hashlib.algorithms_available:
            return _RunningSm3()
        return hashlib.new(self.name, usedforsecurity=self.name != "sha1")

    @property
    def identifier(self) -> bytes:
        """AlgorithmIdentifier in DER, parameters absent (RFC 5754 section 2)."""
        return der.sequence(der.oid(self.oid))


@dataclass(frozen=True)
class SignatureAlgorithm:
    """A way to sign: its object identifier, the hash it uses and the family of keys it goes with."""

    name: str
    oid: str
    hash: HashAlgorithm
    family: KeyFamily
    null_parameters: bool = False

    @property
    def identifier(self) -> bytes:
        """AlgorithmIdentifier in DER; parameters absent, but NULL where RFC 4055 demands it."""
        return der.sequence(der.oid(self.oid), der.null() if self.null_parameters else b"")


SHA1 = HashAlgorithm(
    "sha1", "1.3.14.3.2.26", 20
)  # only as an identifier of keys and OCSP answers, never in a signature
SHA256 = HashAlgorithm("sha256", "2.16.840.1.101.3.4.2.1", 32)
SHA384 = HashAlgorithm("sha384", "2.16.840.1.101.3.4.2.2", 48)
SHA512 = HashAlgorithm("sha512", "2.16.840.1.101.3.4.2.3", 64)
SM3 = HashAlgorithm("sm3", oids.SM3, 32)

ECDSA_SHA256 = SignatureAlgorithm("ecdsa-sha256", "1.2.840.10045.4.3.2", SHA256, "ec")
ECDSA_SHA384 = SignatureAlgorithm("ecdsa-sha384", "1.2.840.10045.4.3.3", SHA384, "ec")
ECDSA_SHA512 = SignatureAlgorithm("ecdsa-sha512", "1.2.840.10045.4.3.4", SHA512, "ec")
RSA_SHA256 = SignatureAlgorithm("rsa-sha256", "1.2.840.113549.1.1.11", SHA256, "rsa", null_parameters=True)
RSA_SHA384 = SignatureAlgorithm("rsa-sha384", "1.2.840.113549.1.1.12", SHA384, "rsa", null_parameters=True)
RSA_SHA512 = SignatureAlgorithm("rsa-sha512", "1.2.840.113549.1.1.13", SHA512, "rsa", null_parameters=True)
ED25519 = SignatureAlgorithm("ed25519", "1.3.101.112", SHA512, "ed25519")
SM2_SM3 = SignatureAlgorithm("sm2-sm3", oids.SM2_WITH_SM3, SM3, "sm2")
# RFC 9881 section 2. The hash is that of signed attributes, the one every reader must know (RFC 9882 section 3.3)
ML_DSA_44 = SignatureAlgorithm("ml-dsa-44", oids.ML_DSA_44, SHA512, "ml-dsa-44")
ML_DSA_65 = SignatureAlgorithm("ml-dsa-65", oids.ML_DSA_65, SHA512, "ml-dsa-65")
ML_DSA_87 = SignatureAlgorithm("ml-dsa-87", oids.ML_DSA_87, SHA512, "ml-dsa-87")

_HASHES = (SHA256, SHA384, SHA512, SM3)
_SIGNATURES = (
    *(ECDSA_SHA256, ECDSA_SHA384, ECDSA_SHA512, RSA_SHA256, RSA_SHA384, RSA_SHA512, ED25519, SM2_SM3),
    *(ML_DSA_44, ML_DSA_65, ML_DSA_87),
)


@dataclass(frozen=True)
class Suite:
    """One consistent choice of algorithms, and the object identifiers that go with it."""

    name: str
    #: how certificates, requests, CRLs and answers are signed by a key of the suite's own kind
    signature: SignatureAlgorithm
    hash: HashAlgorithm
    #: name of the authenticated encryption, see `yinxin.crypto.aead`
    aead: str
    aead_key_size: int = field(metadata={"unit": "octets"})
    #: the suite's own kind of key, as in `PublicKey.algorithm`
    key_algorithm: str
    #: every kind of key that signs in this suite, its own first; RSA with its size in bits
    signing_keys: tuple[str, ...]
    #: kinds of key that secrets are encrypted to, the one to be chosen first
    encryption_keys: tuple[str, ...]
    #: CMS content types of data and signed data, and the signature algorithm inside a SignerInfo
    cms_data: str
    cms_signed_data: str
    cms_signature: str

    def encryption_for(self, signing: str) -> str:
        """The kind of encryption key that goes beside a signing key of this kind: as strong, where the suite has several.

        Beside RSA goes RSA, no smaller where there is one: what signs with it seldom agrees on keys by elliptic curves.
        """
        if signing.startswith("rsa-"):
            known = [each for each in self.encryption_keys if each.startswith("rsa-")]
            bits = [int(each.removeprefix("rsa-")) for each in (signing, *known)]
            return next(
                (each for each, size in zip(known, bits[1:], strict=True) if size >= bits[0]), known[-1]
            )
        strongest = signing == "ml-dsa-87"  # NIST category 5, as ML-KEM-1024 is
        return self.encryption_keys[-1] if strongest else self.encryption_keys[0]


INTL = Suite(
    name="intl",
    signature=ECDSA_SHA256,
    hash=SHA256,
    aead="AES-256-GCM",
    aead_key_size=32,
    key_algorithm="ecdsa-p256",
    signing_keys=("ecdsa-p256", "ecdsa-p384", "rsa-3072", "rsa-4096", "ed25519"),
    encryption_keys=("ecdsa-p256", "ecdsa-p384", "rsa-3072", "rsa-4096"),
    cms_data=oids.DATA,
    cms_signed_data=oids.SIGNED_DATA,
    cms_signature=ECDSA_SHA256.oid,
)
SM = Suite(
    name="sm",
    signature=SM2_SM3,
    hash=SM3,
    aead="SM4-GCM",
    aead_key_size=16,
    key_algorithm="sm2",
    signing_keys=("sm2",),
    encryption_keys=("sm2",),
    cms_data=oids.GM_DATA,
    cms_signed_data=oids.GM_SIGNED_DATA,
    cms_signature=oids.SM2_SIGNATURE,
)

PQ = Suite(
    name="pq",
    signature=ML_DSA_65,
    hash=SHA512,
    aead="AES-256-GCM",
    aead_key_size=32,
    key_algorithm="ml-dsa-65",
    signing_keys=("ml-dsa-65", "ml-dsa-44", "ml-dsa-87"),
    encryption_keys=("ml-kem-768", "ml-kem-1024"),
    cms_data=oids.DATA,
    cms_signed_data=oids.SIGNED_DATA,
    cms_signature=ML_DSA_65.oid,
)

_SUITES = {each.name: each for each in (INTL, SM, PQ)}


def suite(name: str) -> Suite:
    """The suite of this name; raises UnknownSuite."""
    try:
        return _SUITES[name]
    except KeyError:
        raise UnknownSuite(name=name, known=", ".join(_SUITES)) from None


def suite_of_key(kind: str) -> Suite:
    """The suite that has this kind of key, as in `signing_keys` and `encryption_keys`; raises UnsupportedAlgorithm."""
    for each in _SUITES.values():
        if kind in (*each.signing_keys, *each.encryption_keys):
            return each
    raise UnsupportedAlgorithm(what="key", algorithm=kind)


def hash_algorithm(oid_or_name: str, *, what: str = "digest") -> HashAlgorithm:
    """The hash with this name or object identifier; SHA-1 is not among them. Raises UnsupportedAlgorithm."""
    for each in _HASHES:
        if oid_or_name in (each.name, each.oid):
            return each
    raise UnsupportedAlgorithm(what=what, algorithm=oid_or_name)


def signature_algorithm(oid: str, *, what: str = "signature") -> SignatureAlgorithm:
    """The signature algorithm with this object identifier. Raises UnsupportedAlgorithm."""
    for each in _SIGNATURES:
        if oid == each.oid:
            return each
    raise UnsupportedAlgorithm(what=what, algorithm=oid)
