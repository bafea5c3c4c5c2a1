"""How a content key reaches its recipient: RSA transport, SM2 encryption, elliptic curve agreement (RFC 5753)."""

from cryptography.exceptions import UnsupportedAlgorithm as UnknownToLibrary
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from yinxin.crypto import der, oids
from yinxin.crypto.errors import UnsupportedAlgorithm
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.sm2 import SM2PrivateKey, SM2PublicKey
from yinxin.crypto.suite import SHA256

_PKCS1 = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())


def _oaep_with(hash_: bytes) -> bytes:
    mask = der.sequence(der.oid("1.2.840.113549.1.1.8"), hash_)
    parameters = der.sequence(der.explicit(0, hash_), der.explicit(1, mask))
    return der.sequence(der.oid("1.2.840.113549.1.1.7"), parameters)


#: RSAES-OAEP with SHA-256 throughout (RFC 4055 section 4.1); its digest's parameters are NULL, others leave them out
_OAEP = _oaep_with(der.sequence(der.oid(SHA256.oid), der.null()))
_OAEP_BARE = _oaep_with(SHA256.identifier)
_SM2 = der.sequence(der.oid(oids.SM2_ENCRYPTION))

#: dhSinglePass-stdDH-sha256kdf-scheme (RFC 5753 7.1.4), with the wrap it carries
_AGREEMENT = "1.3.132.1.11.1"
_WRAPS = {"2.16.840.1.101.3.4.1.5": 16, "2.16.840.1.101.3.4.1.25": 24, oids.AES_256_WRAP: 32}


def transport(recipient: PublicKey, key: bytes, *, oaep: bool) -> tuple[bytes, bytes]:
    """(AlgorithmIdentifier, `key` encrypted) for an RSA or SM2 key; raises UnsupportedAlgorithm."""
    if recipient.algorithm == "sm2":
        return _SM2, SM2PublicKey(recipient.spki).encrypt(key)
    public = serialization.load_der_public_key(recipient.spki)
    if not isinstance(public, rsa.RSAPublicKey):
        raise UnsupportedAlgorithm(what="key transport", algorithm=recipient.algorithm)
    return (
        (_OAEP, public.encrypt(key, _oaep())) if oaep else (_PKCS1, public.encrypt(key, padding.PKCS1v15()))
    )


def opened(pkcs8: bytes, algorithm: bytes, encrypted: bytes) -> bytes:
    """What `transport` encrypted; raises ValueError or CannotDecrypt when it does not open, UnsupportedAlgorithm.

    A bad PKCS#1 v1.5 padding gives a random key instead of an error (OpenSSL's implicit rejection), so that nobody
    learns by asking.
    """
    name = der.elements(algorithm)[0]
    if name == der.elements(_SM2)[0]:
        return SM2PrivateKey.load(pkcs8, proved=True).decrypt(encrypted)
    # The key was proved when it was made and wrapped; to prove an RSA key anew takes a hundred times its use.
    try:
        private = serialization.load_der_private_key(
            pkcs8, password=None, unsafe_skip_rsa_key_validation=True
        )
    except UnknownToLibrary as error:  # a key on SM2's curve, for one
        raise UnsupportedAlgorithm(what="key transport", algorithm=der.dotted(name)) from error
    if not isinstance(private, rsa.RSAPrivateKey) or algorithm not in (_PKCS1, _OAEP, _OAEP_BARE):
        raise UnsupportedAlgorithm(what="key transport", algorithm=der.dotted(name))
    return private.decrypt(encrypted, padding.PKCS1v15() if algorithm == _PKCS1 else _oaep())


def _oaep() -> padding.OAEP:
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def agree(recipient: PublicKey, name: bytes, key: bytes) -> bytes:
    """KeyAgreeRecipientInfo (RFC 5652 6.2.2) as a SEQUENCE: `key` wrapped for the recipient by an ephemeral key."""
    public = serialization.load_der_public_key(recipient.spki)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise UnsupportedAlgorithm(what="key agreement", algorithm=recipient.algorithm)
    ephemeral = ec.generate_private_key(public.curve)
    wrap = der.sequence(der.oid(oids.AES_256_WRAP))
    wrapped = aes_key_wrap(_derived(ephemeral.exchange(ec.ECDH(), public), wrap, b""), key)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    _, point = der.elements(ephemeral.public_key().public_bytes(serialization.Encoding.DER, form))
    originator = der.implicit(1, der.sequence(der.sequence(der.oid("1.2.840.10045.2.1")), point))
    return der.sequence(
        der.integer(3),
        der.explicit(0, originator),
        der.sequence(der.oid(_AGREEMENT), wrap),
        der.sequence(der.sequence(name, der.octets(wrapped))),
    )


def agreed(pkcs8: bytes, own: PublicKey, info: bytes, name: bytes) -> bytes | None:
    """The key that an [1] KeyAgreeRecipientInfo has for the recipient called `name`, or None; raises ValueError."""
    fields = der.elements(info, 0xA1)[1:]
    originator = der.tagged(fields[0], 0)
    shared = der.tagged(fields[1], 1) if fields[1][0] == 0xA1 else None
    algorithm, keys = fields[-2:]
    found = [der.elements(each) for each in der.elements(keys)]
    wrapped = next((octets for who, octets in found if who == name), None)
    if wrapped is None:
        return None
    scheme, wrap = der.elements(algorithm)
    size = _WRAPS.get(der.dotted(der.elements(wrap)[0]))
    private = serialization.load_der_private_key(pkcs8, password=None)
    if (
        der.dotted(scheme) != _AGREEMENT
        or size is None
        or not isinstance(private, ec.EllipticCurvePrivateKey)
    ):
        raise UnsupportedAlgorithm(what="key agreement", algorithm=der.dotted(scheme))
    _, point = der.elements(originator, 0xA1)
    # the originator is on our own curve; whatever it says of its curve itself is not needed
    peer = serialization.load_der_public_key(der.sequence(der.elements(own.spki)[0], point))
    if not isinstance(peer, ec.EllipticCurvePublicKey):
        raise UnsupportedAlgorithm(what="key agreement", algorithm=own.algorithm)
    material = der.content(shared, der.OCTET_STRING) if shared else b""
    try:
        secret = _derived(private.exchange(ec.ECDH(), peer), wrap, material)
        return aes_key_unwrap(secret, der.content(wrapped, der.OCTET_STRING))
    except InvalidUnwrap as error:
        raise ValueError("the key does not unwrap") from error


def _derived(secret: bytes, wrap: bytes, material: bytes) -> bytes:
    """The wrapping key: X9.63 over ECC-CMS-SharedInfo (RFC 5753 7.2)."""
    size = _WRAPS[der.dotted(der.elements(wrap)[0])]
    entity = der.explicit(0, der.octets(material)) if material else b""
    info = der.sequence(wrap, entity, der.explicit(2, der.octets((size * 8).to_bytes(4))))
    return X963KDF(hashes.SHA256(), size, info).derive(secret)
