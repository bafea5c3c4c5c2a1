"""The platform's algorithms as PKCS#11 speaks of them: key types, parameters, mechanisms, encodings."""

from dataclasses import dataclass
from typing import Any

from asn1crypto.keys import ECDomainParameters, NamedCurve
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.mechanisms import MLDSAParameterSet

from yinxin.crypto import der
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.suite import ML_DSA_44, ML_DSA_65, ML_DSA_87, PQ, SM, HashAlgorithm, SignatureAlgorithm

#: AlgorithmIdentifier of an Ed25519 key (RFC 8410 section 3) and of an RSA key (RFC 4055 section 1.2)
_ED25519 = der.sequence(der.oid("1.3.101.112"))
_RSA = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
_EC = der.oid("1.2.840.10045.2.1")


@dataclass(frozen=True, slots=True)
class Native:
    """An algorithm whose keys the module makes, holds and uses."""

    name: str
    key_type: KeyType
    generate: Mechanism
    use: Mechanism
    #: CKA_EC_PARAMS of the curve
    curve: bytes | None = None
    bits: int | None = None
    #: CKA_PARAMETER_SET, and the identifier of keys of that set
    parameter_set: MLDSAParameterSet | None = None
    algorithm: SignatureAlgorithm | None = None

    @property
    def signs(self) -> bool:
        """Whether it is a pair that signs (else a secret key that wraps)."""
        return self.key_type != KeyType.AES

    @property
    def whole(self) -> bool:
        """Whether the mechanism is given the message itself, as it computes for itself what is signed."""
        return self.key_type in (KeyType.EC_EDWARDS, KeyType.ML_DSA)

    @property
    def shared(self) -> bool:
        """Whether modules agree on how such a key is wrapped for another token (SoftHSM2 refuses Ed25519)."""
        return self.key_type not in (KeyType.EC_EDWARDS, KeyType.ML_DSA)

    @property
    def digests(self) -> bool:
        """Whether the digest must be told how it was made before it is signed."""
        return self.key_type == KeyType.RSA

    @property
    def kind(self) -> ObjectClass:
        """The class of the object that is used."""
        return ObjectClass.PRIVATE_KEY if self.signs else ObjectClass.SECRET_KEY


def _ml_dsa(algorithm: SignatureAlgorithm, parameter_set: MLDSAParameterSet) -> Native:
    """PKCS#11 v3.2, 6.67: CKM_ML_DSA without a parameter signs with an empty context, as RFC 9881 wants it."""
    return Native(
        algorithm.name,
        KeyType.ML_DSA,
        Mechanism.ML_DSA_KEY_PAIR_GEN,
        Mechanism.ML_DSA,
        parameter_set=parameter_set,
        algorithm=algorithm,
    )


def _curve(name: str) -> bytes:
    return bytes(ECDomainParameters(name="named", value=NamedCurve(name)).dump())


_TABLE = (
    Native("ecdsa-p256", KeyType.EC, Mechanism.EC_KEY_PAIR_GEN, Mechanism.ECDSA, curve=_curve("secp256r1")),
    Native("ecdsa-p384", KeyType.EC, Mechanism.EC_KEY_PAIR_GEN, Mechanism.ECDSA, curve=_curve("secp384r1")),
    Native("rsa-3072", KeyType.RSA, Mechanism.RSA_PKCS_KEY_PAIR_GEN, Mechanism.RSA_PKCS, bits=3072),
    Native("rsa-4096", KeyType.RSA, Mechanism.RSA_PKCS_KEY_PAIR_GEN, Mechanism.RSA_PKCS, bits=4096),
    # CKA_EC_PARAMS of Ed25519 is the curve's name (PKCS#11 v3.1, 6.3.2)
    Native(
        "ed25519",
        KeyType.EC_EDWARDS,
        Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
        Mechanism.EDDSA,
        curve=der.printable("edwards25519"),
    ),
    _ml_dsa(ML_DSA_44, MLDSAParameterSet.ML_DSA_44),
    _ml_dsa(ML_DSA_65, MLDSAParameterSet.ML_DSA_65),
    _ml_dsa(ML_DSA_87, MLDSAParameterSet.ML_DSA_87),
    Native("aes-256", KeyType.AES, Mechanism.AES_KEY_GEN, Mechanism.AES_GCM, bits=256),
)
NATIVE = {each.name: each for each in _TABLE}
#: kinds of key that many modules do not know; there they are kept as `kms.wrap` says
WRAPPABLE = (*SM.signing_keys, *PQ.signing_keys, "ed25519")


def known_to(mechanisms: frozenset[str]) -> list[str]:
    """The algorithms of `NATIVE` whose keys a module with these mechanisms makes and uses."""
    return [name for name, each in NATIVE.items() if {each.generate.name, each.use.name} <= mechanisms]


def read_public_key(native: Native, public: Any) -> PublicKey:
    """The public key that a CKO_PUBLIC_KEY object holds."""
    if native.key_type == KeyType.RSA:
        modulus = int.from_bytes(public[Attribute.MODULUS])
        exponent = int.from_bytes(public[Attribute.PUBLIC_EXPONENT])
        return PublicKey(
            der.sequence(_RSA, der.bits(der.sequence(der.integer(modulus), der.integer(exponent))))
        )
    if native.algorithm is not None:
        return PublicKey(der.sequence(native.algorithm.identifier, der.bits(public[Attribute.VALUE])))
    point = der.bits(der.content(public[Attribute.EC_POINT]))  # a DER OCTET STRING (PKCS#11 v3.1, 6.3.3)
    if native.key_type == KeyType.EC_EDWARDS:
        return PublicKey(der.sequence(_ED25519, point))
    assert native.curve is not None  # noqa: S101 - for the type checker; every EC row above names its curve
    return PublicKey(der.sequence(der.sequence(_EC, native.curve), point))


def read_any_public_key(public: Any) -> bytes | None:
    """The DER public key of whatever CKO_PUBLIC_KEY object this is; None for a kind that `NATIVE` does not name."""
    key_type = public[Attribute.KEY_TYPE]
    for each in NATIVE.values():
        if each.key_type != key_type:
            continue
        if each.curve is not None and public[Attribute.EC_PARAMS] != each.curve:
            continue
        if each.parameter_set is not None and public[Attribute.PARAMETER_SET] != each.parameter_set:
            continue
        return read_public_key(each, public).spki
    return None


def to_sign(native: Native, public_key: PublicKey, digest: bytes) -> bytes:
    """What the mechanism is given for what `prehash` gave: itself, or in a DigestInfo for RSA (RFC 8017 9.2)."""
    if native.digests:
        return digest_info(public_key.signature_algorithm.hash, digest)
    return digest


def digest_info(algorithm: HashAlgorithm, digest: bytes) -> bytes:
    """DigestInfo with NULL parameters (RFC 8017 9.2 note 1)."""
    return der.sequence(der.sequence(der.oid(algorithm.oid), der.null()), der.octets(digest))


def from_signed(native: Native, raw: bytes) -> bytes:
    """The signature as the platform writes it: ECDSA's r ‖ s becomes Ecdsa-Sig-Value (RFC 3279 2.2.3)."""
    if native.key_type != KeyType.EC:
        return raw
    half = len(raw) // 2
    return der.sequence(der.integer(int.from_bytes(raw[:half])), der.integer(int.from_bytes(raw[half:])))
