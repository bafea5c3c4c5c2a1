"""ML-DSA (FIPS 204) and ML-KEM (FIPS 203): which key is which, and private keys as seeds.

A signature is made over the message representative μ = SHAKE256(SHAKE256(pk, 64) ‖ 0 ‖ 0 ‖ M, 64) (FIPS 204 algorithm 7
step 6, empty context as RFC 9881 wants it). μ is computed apart from the signature, so that whoever holds the key needs
64 octets and not the message.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem

from yinxin.crypto import der, oids
from yinxin.crypto.errors import UnsupportedAlgorithm

VerifyingKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
SigningKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
EncapsulationKey = mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey
DecapsulationKey = mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey

_NAMES: dict[type, str] = {
    mldsa.MLDSA44PublicKey: "ml-dsa-44",
    mldsa.MLDSA65PublicKey: "ml-dsa-65",
    mldsa.MLDSA87PublicKey: "ml-dsa-87",
    mlkem.MLKEM768PublicKey: "ml-kem-768",
    mlkem.MLKEM1024PublicKey: "ml-kem-1024",
}
#: how a new key of each kind is made
GENERATE: dict[str, Callable[[], SigningKey | DecapsulationKey]] = {
    "ml-dsa-44": mldsa.MLDSA44PrivateKey.generate,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey.generate,
    "ml-kem-768": mlkem.MLKEM768PrivateKey.generate,
    "ml-kem-1024": mlkem.MLKEM1024PrivateKey.generate,
}
_IDENTIFIERS = {
    der.sequence(der.oid(each))
    for each in (oids.ML_DSA_44, oids.ML_DSA_65, oids.ML_DSA_87, oids.ML_KEM_768, oids.ML_KEM_1024)
}
_SEED = 0x80  # [0] IMPLICIT OCTET STRING


def name_of(key: VerifyingKey | EncapsulationKey) -> str:
    """The kind of a public key, as in `PublicKey.algorithm`."""
    return next(name for kind, name in _NAMES.items() if isinstance(key, kind))


def representative(key: VerifyingKey, message: bytes) -> bytes:
    """The 64 octets μ that are signed for `message`."""
    hasher = mldsa.MLDSAMuHasher(key)
    hasher.update(message)
    return hasher.finalize()


def seed_only(pkcs8: bytes) -> bytes:
    """A DER PrivateKeyInfo in the one form that is loaded, the seed; other algorithms' come back unchanged.

    OpenSSL writes seed and expanded key (the choice `both` of RFC 9881 section 6 and RFC 9935 section 6): the seed is
    taken, and the expanded key, which follows from it, not looked at. Without a seed: UnsupportedAlgorithm.
    """
    version, algorithm, private, *_ = der.elements(pkcs8)
    if algorithm not in _IDENTIFIERS:
        return pkcs8
    choice = der.content(private, der.OCTET_STRING)
    if choice[:1] == bytes((der.SEQUENCE,)):
        seed = der.content(der.elements(choice)[0], der.OCTET_STRING)
        return der.sequence(version, algorithm, der.octets(der.tlv(_SEED, seed)))
    if choice[:1] != bytes((_SEED,)):
        raise UnsupportedAlgorithm(what="private key", algorithm="expanded key without its seed")
    return pkcs8
