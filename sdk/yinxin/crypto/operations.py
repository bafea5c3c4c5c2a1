"""What a key of a named kind does with octets: encrypt, sign, authenticate. Kinds by suite, for keys that others use.

A kind has one purpose: what signs does not decrypt (NIST SP 800-57 part 1, 5.2; GM/T 0015 has two keys for the same
reason). A ciphertext is bound to octets given beside it and opens with the same octets only:

| form | bound as | sealed form |
| --- | --- | --- |
| AES-256-GCM, SM4-GCM, ChaCha20-Poly1305 | additional authenticated data | nonce (96 bits, random) ‖ ciphertext ‖ tag |
| RSA-OAEP (RFC 8017 7.1, hash and MGF1 of the key's size) | label | the ciphertext |
| SM2 (GB/T 32918.4) | SM3 of them before the plaintext; C3 authenticates both | SM2Cipher in DER (GM/T 0009 7.2) |
| ML-KEM by HPKE (RFC 9180 base mode, HKDF-SHA256, AES-256-GCM) | `info` | encapsulation ‖ ciphertext ‖ tag |
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import constant_time, hashes, hmac, hpke, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from yinxin.crypto import aead, der, sm2
from yinxin.crypto.errors import BadSignature, CannotDecrypt, MalformedDer, MalformedKey, UnsupportedAlgorithm
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.public_key import HASHES, PublicKey
from yinxin.crypto.suite import INTL, PQ, SHA256, SHA512, SM, SM3, HashAlgorithm, Suite


class Operation(StrEnum):
    """One thing that a key does."""

    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    SIGN = "sign"
    VERIFY = "verify"
    MAC = "mac"
    VERIFY_MAC = "verify-mac"


Form = Literal["cipher", "mac", "signing", "encryption"]
_DOES: Mapping[Form, frozenset[Operation]] = {
    "cipher": frozenset({Operation.ENCRYPT, Operation.DECRYPT}),
    "encryption": frozenset({Operation.ENCRYPT, Operation.DECRYPT}),
    "mac": frozenset({Operation.MAC, Operation.VERIFY_MAC}),
    "signing": frozenset({Operation.SIGN, Operation.VERIFY}),
}
_NONCE, _TAG = 12, 16
#: encryptions under one key with random 96-bit nonces, so that two are alike with a chance below 2^-32 (SP 800-38D 8.3)
MOST_SEALED = 2**32


@dataclass(frozen=True, slots=True)
class KeyKind:
    """A kind of key, and what it is for. `key` is the kind of pair (`PrivateKey.generate`), `size` a secret's octets."""

    name: str
    suite: Suite
    form: Form
    key: str = ""
    size: int = 0
    hash: HashAlgorithm = SHA256

    @property
    def operations(self) -> frozenset[Operation]:
        """What keys of this kind do."""
        return _DOES[self.form]

    @property
    def paired(self) -> bool:
        """Whether it is a pair with a public key."""
        return bool(self.key)

    @property
    def most_sealed(self) -> int | None:
        """Encryptions that one key may make; None where nonces do not limit them."""
        return MOST_SEALED if self.form == "cipher" else None

    @property
    def pss(self) -> bool:
        """Whether it signs by RSASSA-PSS, and so otherwise than `PublicKey.verify` reads it."""
        return self.name.endswith("-pss")


def _pair(name: str, suite: Suite, form: Form, key: str = "", hash_: HashAlgorithm = SHA256) -> KeyKind:
    return KeyKind(name, suite, form, key or name, hash=hash_)


_KINDS = (
    KeyKind("aes-256-gcm", INTL, "cipher", size=INTL.aead_key_size),
    KeyKind("chacha20-poly1305", INTL, "cipher", size=32),
    KeyKind("hmac-sha256", INTL, "mac", size=32),
    KeyKind("hmac-sha512", INTL, "mac", size=64, hash=SHA512),
    _pair("ecdsa-p256", INTL, "signing"),
    _pair("ecdsa-p384", INTL, "signing"),
    _pair("ed25519", INTL, "signing"),
    _pair("rsa-3072-pss", INTL, "signing", "rsa-3072"),
    _pair("rsa-4096-pss", INTL, "signing", "rsa-4096"),
    _pair("rsa-3072-oaep", INTL, "encryption", "rsa-3072"),
    _pair("rsa-4096-oaep", INTL, "encryption", "rsa-4096"),
    KeyKind("sm4-gcm", SM, "cipher", size=SM.aead_key_size),
    KeyKind("hmac-sm3", SM, "mac", size=32, hash=SM3),
    _pair("sm2-signing", SM, "signing", "sm2", SM3),
    _pair("sm2-encryption", SM, "encryption", "sm2", SM3),
    *(_pair(name, PQ, "signing") for name in PQ.signing_keys),
    *(_pair(name, PQ, "encryption") for name in PQ.encryption_keys),
)
#: every kind by its name
KINDS: Mapping[str, KeyKind] = {kind.name: kind for kind in _KINDS}

_HPKE = {
    "ml-kem-768": hpke.Suite(hpke.KEM.MLKEM768, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM),
    "ml-kem-1024": hpke.Suite(hpke.KEM.MLKEM1024, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM),
}


def kind_of(name: str) -> KeyKind:
    """The kind of this name; raises UnsupportedAlgorithm."""
    if name not in KINDS:
        raise UnsupportedAlgorithm(what="key", algorithm=name[:40])
    return KINDS[name]


# --- making and reading secrets ---


def generate(kind: KeyKind) -> tuple[bytes, bytes | None]:
    """(secret, DER SubjectPublicKeyInfo of a pair): octets of a secret key, or DER PrivateKeyInfo. Wrap it and cleanse it."""
    if not kind.paired:
        return secrets.token_bytes(kind.size), None
    key = PrivateKey.generate(kind.key)
    return key.pkcs8(), key.public_key.spki


def read(kind: KeyKind, octets: bytes) -> tuple[bytes, bytes | None]:
    """As `generate`, from a secret that was made elsewhere; raises MalformedKey for one of another kind or size."""
    if not kind.paired:
        if len(octets) != kind.size:
            raise MalformedKey(reason=f"{len(octets)} octets where {kind.name} has {kind.size}")
        return octets, None
    try:
        key = PrivateKey.load(octets)
    except UnsupportedAlgorithm as error:
        raise MalformedKey(reason="another kind of key") from error
    if _kind_of_pair(key) != kind.key:
        raise MalformedKey(reason=f"a key of the kind {_kind_of_pair(key)} where {kind.key} is wanted")
    return key.pkcs8(), key.public_key.spki


def _kind_of_pair(key: PrivateKey) -> str:
    algorithm = key.public_key.algorithm
    if algorithm != "rsa":
        return algorithm
    public = serialization.load_der_public_key(key.public_key.spki)
    return f"rsa-{public.key_size}" if isinstance(public, rsa.RSAPublicKey) else algorithm


# --- encryption ---


def longest_plaintext(kind: KeyKind) -> int | None:
    """Octets that fit into one ciphertext; None where the algorithm sets no bound."""
    if not kind.name.endswith("-oaep"):
        return None
    return int(kind.key[4:]) // 8 - 2 * _oaep_hash(kind).digest_size - 2  # RFC 8017 7.1.1 step 1 b


def seal(kind: KeyKind, secret: bytes | None, spki: bytes | None, plaintext: bytes, bound: bytes) -> bytes:
    """`plaintext` as ciphertext that opens together with `bound` only: by the secret, or of a pair by the public key.

    Raises CannotDecrypt for a plaintext longer than `longest_plaintext`.
    """
    if kind.form == "cipher" and secret is not None:
        if kind.name.startswith("chacha20"):
            nonce = secrets.token_bytes(_NONCE)
            return nonce + ChaCha20Poly1305(secret).encrypt(nonce, plaintext, bound)
        return aead.seal(kind.suite, secret, plaintext, bound)
    public = PublicKey.load(spki or b"")
    if kind.key == "sm2":
        return sm2.SM2PublicKey(public.spki).encrypt(SM3.digest(bound) + plaintext)
    library: Any = serialization.load_der_public_key(public.spki)
    if kind.key in _HPKE:
        return bytes(_HPKE[kind.key].encrypt(plaintext, library, bound))
    try:
        return bytes(library.encrypt(plaintext, _oaep(kind, bound)))
    except ValueError as error:
        raise CannotDecrypt(algorithm=kind.name) from error


def unseal(kind: KeyKind, secret: bytes, sealed: bytes, bound: bytes) -> bytes:
    """What `seal` was given; raises CannotDecrypt, one error whatever is wrong."""
    try:
        return _unsealed(kind, secret, sealed, bound)
    except (InvalidTag, ValueError, CannotDecrypt, MalformedDer):
        raise CannotDecrypt(algorithm=kind.name) from None


def _unsealed(kind: KeyKind, secret: bytes, sealed: bytes, bound: bytes) -> bytes:
    if kind.form == "cipher":
        if kind.name.startswith("chacha20"):
            return ChaCha20Poly1305(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
        return aead.open_sealed(kind.suite, secret, sealed, bound)
    if kind.key == "sm2":
        der.check(sealed)  # OpenSSL passes over what follows the sequence
        opened = PrivateKey.load(secret, proved=True).decrypt(sealed)
        if not constant_time.bytes_eq(opened[: SM3.size], SM3.digest(bound)):
            raise CannotDecrypt(algorithm=kind.name)
        return opened[SM3.size :]
    library: Any = _library(secret)
    if kind.key in _HPKE:
        return bytes(_HPKE[kind.key].decrypt(sealed, library, bound))
    return bytes(library.decrypt(sealed, _oaep(kind, bound)))


def _library(pkcs8: bytes) -> Any:
    """The library's key, without the tests that an RSA key passed when it was made or came in."""
    return serialization.load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=True)


def _oaep_hash(kind: KeyKind) -> hashes.HashAlgorithm:
    """As strong as the key: SHA-256, and SHA-384 from 4096 bits on (SP 800-57 part 1, table 2)."""
    return HASHES["sha384" if kind.key == "rsa-4096" else "sha256"]


def _oaep(kind: KeyKind, label: bytes) -> padding.OAEP:
    hash_ = _oaep_hash(kind)
    return padding.OAEP(padding.MGF1(hash_), hash_, label)


# --- signatures ---


def prehash(kind: KeyKind, spki: bytes, message: bytes) -> bytes:
    """What may be signed in place of the message (`PublicKey.prehash`); raises UnsupportedAlgorithm where nothing may."""
    public = PublicKey.load(spki)
    return public.prehash(message) if kind.form == "signing" else b""


def sign(kind: KeyKind, secret: bytes | PrivateKey, message: bytes, *, hashed: bool = False) -> bytes:
    """The signature over `message`, or with `hashed` over what `prehash` gave: DER for ECDSA and SM2, raw for the others.

    The secret may be given as `loaded` for many signatures. Raises UnsupportedAlgorithm for a digest where the kind takes none.
    """
    key = loaded(kind, secret) if isinstance(secret, bytes) else secret
    if isinstance(key, PrivateKey):
        return key.sign_prehashed(message) if hashed else key.sign(message)
    library: Any = _library(key)
    hash_ = _pss_hash(kind)
    return bytes(library.sign(message, _pss(hash_), utils.Prehashed(hash_) if hashed else hash_))


def loaded(kind: KeyKind, secret: bytes) -> bytes | PrivateKey:
    """The secret as it is read once for many signatures; as it is, where reading it saves nothing."""
    return secret if kind.pss else PrivateKey.load(secret, proved=True)


def verify(
    kind: KeyKind, spki: bytes | PublicKey, signature: bytes, message: bytes, *, hashed: bool = False
) -> None:
    """Raise BadSignature unless `sign` made it with the key of this SubjectPublicKeyInfo."""
    public = PublicKey.load(spki) if isinstance(spki, bytes) else spki
    if not kind.pss:
        if hashed:
            public.verify_prehashed(signature, message)
        else:
            public.verify(signature, message)
        return
    library: Any = serialization.load_der_public_key(public.spki)
    hash_ = _pss_hash(kind)
    try:
        library.verify(signature, message, _pss(hash_), utils.Prehashed(hash_) if hashed else hash_)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(what="object") from error


def _pss_hash(kind: KeyKind) -> hashes.HashAlgorithm:
    return _oaep_hash(kind)


def _pss(hash_: hashes.HashAlgorithm) -> padding.PSS:
    """MGF1 of the same hash, and a salt of its length (RFC 8017 9.1)."""
    return padding.PSS(padding.MGF1(hash_), hash_.digest_size)


# --- message authentication ---

_MACS: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha512": hashes.SHA512,
    "sm3": hashes.SM3,
}


def mac(kind: KeyKind, secret: bytes, message: bytes) -> bytes:
    """HMAC (FIPS 198-1, GB/T 15852.2) of `message`, whole."""
    state = hmac.HMAC(secret, _MACS[kind.hash.name]())
    state.update(message)
    return state.finalize()


def verify_mac(kind: KeyKind, secret: bytes, given: bytes, message: bytes) -> None:
    """Raise BadSignature unless `given` is the MAC of `message`; compared in constant time."""
    right = mac(kind, secret, message)
    try:
        if not constant_time.bytes_eq(right, given):
            raise BadSignature(what="object")
    finally:
        cleanse(right)
