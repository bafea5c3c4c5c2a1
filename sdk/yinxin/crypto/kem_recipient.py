"""KEMRecipientInfo (RFC 9629): a content key for the holder of an encapsulation key, ML-KEM as RFC 9936 has it.

A secret is encapsulated to the recipient; HKDF makes a wrapping key of it, bound to the algorithm and length of the
wrapping; AES key wrap (RFC 3394) carries the content key. A changed encapsulation gives another secret and no error
(FIPS 203 section 6.3), and the wrap's own check is what tells.
"""

from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from yinxin.crypto import der, oids
from yinxin.crypto.errors import UnsupportedAlgorithm
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse

#: id-ori-kem (RFC 9629 section 3) and id-alg-hkdf-with-sha256 (RFC 8619), whose parameters are absent
_KEM = der.oid("1.2.840.113549.1.9.16.13.3")
_HKDF_SHA256 = der.sequence(der.oid("1.2.840.113549.1.9.16.3.28"))
#: how AES key wrap is named, and octets of its key (RFC 3565); ours is the longest, as RFC 9936 2.1 wants it for ML-KEM-768 and -1024
_WRAPS = {"2.16.840.1.101.3.4.1.5": 16, "2.16.840.1.101.3.4.1.25": 24, oids.AES_256_WRAP: 32}
_KEMS = {"ml-kem-768": oids.ML_KEM_768, "ml-kem-1024": oids.ML_KEM_1024}
#: [4] IMPLICIT OtherRecipientInfo (RFC 5652 6.2)
TAG = 0xA4


@dataclass(frozen=True)
class KemRecipient:
    """What a KEMRecipientInfo says; `rid` names the recipient as elsewhere in CMS."""

    rid: bytes
    #: object identifier of the encapsulation mechanism
    kem: str
    encapsulation: bytes
    #: AlgorithmIdentifier of the wrapping, octets of its key, and further input to its making
    wrap: bytes
    length: int
    ukm: bytes | None
    wrapped: bytes

    @classmethod
    def read(cls, info: bytes) -> Self | None:
        """An [4] OtherRecipientInfo; None for one of another kind. Raises MalformedDer, ValueError, UnsupportedAlgorithm."""
        kind, value = der.elements(info, TAG)
        if kind != _KEM:
            return None
        version, rid, kem, encapsulation, kdf, length, *rest = der.elements(value)
        ukm = der.content(der.tagged(rest[0], 0), der.OCTET_STRING) if rest[0][0] == 0xA0 else None
        wrap, wrapped = rest[-2:]
        der.require(len(rest) == 2 + (ukm is not None), "a field too many or too few")
        der.require(version == der.integer(0), "not version 0")
        name, *parameters = der.elements(kem)
        if kdf != _HKDF_SHA256 or parameters:
            raise UnsupportedAlgorithm(what="key derivation", algorithm=der.dotted(der.elements(kdf)[0]))
        size = _WRAPS.get(der.dotted(der.elements(wrap)[0]))
        if size is None or wrap != der.sequence(der.elements(wrap)[0]):
            raise UnsupportedAlgorithm(what="key wrap", algorithm=der.dotted(der.elements(wrap)[0]))
        # RFC 9936 2.2.1: the length must be the wrapping's own
        der.require(der.number(length) == size, "the length is not that of the key wrap")
        return cls(
            rid,
            der.dotted(name),
            der.content(encapsulation, der.OCTET_STRING),
            wrap,
            size,
            ukm,
            der.content(wrapped, der.OCTET_STRING),
        )

    def key(self, secret: bytes) -> bytes:
        """The content key, by the secret that the encapsulation gave; raises ValueError when it does not unwrap."""
        kek = _derived(secret, self.wrap, self.length, self.ukm)
        try:
            return aes_key_unwrap(kek, self.wrapped)
        except InvalidUnwrap as error:
            raise ValueError("the key does not unwrap") from error
        finally:
            cleanse(kek)

    def opened(self, private: PrivateKey) -> bytes:
        """The content key, by the recipient's private key; raises ValueError, CannotDecrypt, UnsupportedAlgorithm."""
        if _KEMS.get(private.public_key.algorithm) != self.kem:
            raise UnsupportedAlgorithm(what="key encapsulation", algorithm=self.kem)
        secret = private.decapsulate(self.encapsulation)
        try:
            return self.key(secret)
        finally:
            cleanse(secret)


def encapsulated(recipient: PublicKey, rid: bytes, key: bytes) -> bytes:
    """[4] OtherRecipientInfo with `key` for the holder of `recipient`, an ML-KEM key, who is called `rid`.

    Raises UnsupportedAlgorithm for another kind of key.
    """
    if recipient.algorithm not in _KEMS:
        raise UnsupportedAlgorithm(what="key encapsulation", algorithm=recipient.algorithm)
    wrap, length = der.sequence(der.oid(oids.AES_256_WRAP)), _WRAPS[oids.AES_256_WRAP]
    secret, encapsulation = recipient.encapsulate()
    kek = _derived(secret, wrap, length, None)
    try:
        fields = der.sequence(
            der.integer(0),
            rid,
            der.sequence(der.oid(_KEMS[recipient.algorithm])),
            der.octets(encapsulation),
            _HKDF_SHA256,
            der.integer(length),
            wrap,
            der.octets(aes_key_wrap(kek, key)),
        )
    finally:
        cleanse(secret)
        cleanse(kek)
    return der.tlv(TAG, _KEM + fields)


def _derived(secret: bytes, wrap: bytes, length: int, ukm: bytes | None) -> bytes:
    """HKDF with an empty salt over CMSORIforKEMOtherInfo (RFC 9629 section 5, RFC 9936 2.2.1)."""
    further = der.explicit(0, der.octets(ukm)) if ukm is not None else b""
    info = der.sequence(wrap, der.integer(length), further)
    return HKDF(hashes.SHA256(), length, None, info).derive(secret)
