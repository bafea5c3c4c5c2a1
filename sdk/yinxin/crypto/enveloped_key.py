"""SM2EnvelopedKey (GM/T 0009-2012 7.4, GB/T 35276-2017 7.4): an SM2 encryption key on its way to its holder.

A fresh SM4 key encrypts the private key's 32 octets in ECB mode without padding, which is exact here: two blocks of a
random number under a key that is used once. The SM4 key is encrypted to the holder's signing key as an SM2Cipher.

    SM2EnvelopedKey ::= SEQUENCE {
        symAlgID                AlgorithmIdentifier,   -- SM4-ECB
        symEncryptedKey         SM2Cipher,
        sm2PublicKey            BIT STRING,            -- 04 ‖ X ‖ Y
        sm2EncryptedPrivateKey  BIT STRING }           -- 32 octets
"""

import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from yinxin.crypto import der, sm2
from yinxin.crypto.errors import CannotDecrypt, MalformedDer, MalformedKey
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse

#: GB/T 33560: SM4 in ECB mode; the arc above it, SM4 in whatever mode, is what GM/T 0009's first readers wrote
SM4_ECB = "1.2.156.10197.1.104.1"
SM4 = "1.2.156.10197.1.104"
_SIZE, _KEY = 32, 16


def envelop(recipient: PublicKey, key: PrivateKey, *, algorithm: str = SM4_ECB) -> bytes:
    """`key` for the holder of `recipient`, both SM2; `algorithm` is the identifier written, not another cipher.

    Raises MalformedKey when one of them is no SM2 key.
    """
    pkcs8 = key.pkcs8()
    secret = secrets.token_bytes(_KEY)
    private = b""
    try:
        private = _private(pkcs8)
        return der.sequence(
            der.sequence(der.oid(algorithm), der.null()),
            sm2.SM2PublicKey(recipient.spki).encrypt(secret),
            der.bits(sm2.SM2PublicKey(key.public_key.spki).point),
            der.bits(_ecb(secret, private, encrypt=True)),
        )
    finally:
        for each in (pkcs8, secret, private):
            cleanse(each)


def open_enveloped(recipient: PrivateKey, enveloped: bytes) -> PrivateKey:
    """The key that `enveloped` brings to the holder of `recipient`.

    Raises MalformedKey when it is no SM2EnvelopedKey or its public key is not the private key's, CannotDecrypt when it
    was made for somebody else.
    """
    try:
        der.check(enveloped)
        algorithm, wrapped, point, private = der.elements(enveloped)
        der.require(der.dotted(der.elements(algorithm)[0]) in (SM4_ECB, SM4), "not SM4")
        public, sealed = der.octets_of_bits(point), der.octets_of_bits(private)
        der.require(len(sealed) == _SIZE, "not 32 octets of private key")
    except (MalformedDer, ValueError, IndexError) as error:
        raise MalformedKey(reason="not an SM2EnvelopedKey") from error
    secret = recipient.decrypt(wrapped)
    if len(secret) != _KEY:
        raise CannotDecrypt(algorithm="SM2EnvelopedKey")
    opened = _ecb(secret, sealed, encrypt=False)
    try:
        return PrivateKey.load(_pkcs8(opened, public))  # which proves that the two belong together
    finally:
        for each in (secret, opened):
            cleanse(each)


def _ecb(key: bytes, octets: bytes, *, encrypt: bool) -> bytes:
    cipher = Cipher(algorithms.SM4(key), modes.ECB())  # noqa: S305 - the standard's, see above
    context = cipher.encryptor() if encrypt else cipher.decryptor()
    return context.update(octets) + context.finalize()


def _private(pkcs8: bytes) -> bytes:
    """The private number of a PrivateKeyInfo around an ECPrivateKey (RFC 5915), 32 octets."""
    try:
        _, algorithm, wrapped, *_ = der.elements(pkcs8)
        der.require(algorithm == sm2.ALGORITHM, "not SM2")
        return der.content(der.elements(der.content(wrapped))[1]).rjust(_SIZE, b"\0")
    except (MalformedDer, ValueError, IndexError) as error:
        raise MalformedKey(reason="not an SM2 private key") from error


def _pkcs8(private: bytes, point: bytes) -> bytes:
    inner = der.sequence(der.integer(1), der.octets(private), der.explicit(1, der.bits(point)))
    return der.sequence(der.integer(0), sm2.ALGORITHM, der.octets(inner))
