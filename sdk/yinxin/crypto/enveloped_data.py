"""EnvelopedData (RFC 5652 section 6, GM/T 0010 clause 9): content that one recipient can open.

The recipient is a key (`yinxin.crypto.recipients`: RSA, SM2, an elliptic curve, ML-KEM), or a secret that both sides
have (RFC 5652 6.2.3). Whose key it is, the caller has decided.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from yinxin.crypto import der, oids
from yinxin.crypto.errors import CannotDecrypt, Malformed, MalformedEnvelope, UnsupportedAlgorithm
from yinxin.crypto.recipients import Recipient, info_for, key_for, key_of, version_with

_BLOCK = 128  # bits, of AES and SM4 alike


@dataclass(frozen=True)
class ContentCipher:
    """How the content is encrypted: name, object identifier, octets of its key."""

    name: str
    oid: str
    key_size: int

    def encrypt(self, key: bytes, content: bytes) -> tuple[bytes, bytes]:
        """(AlgorithmIdentifier with a fresh vector, ciphertext)."""
        vector = secrets.token_bytes(_BLOCK // 8)
        padder = block_padding.PKCS7(_BLOCK).padder()
        encryptor = Cipher(self._algorithm(key), modes.CBC(vector)).encryptor()
        body = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
        return der.sequence(der.oid(self.oid), der.octets(vector)), body

    def decrypt(self, key: bytes, vector: bytes, body: bytes) -> bytes:
        """The content; raises CannotDecrypt, whatever is wrong."""
        try:
            decryptor = Cipher(self._algorithm(key), modes.CBC(vector)).decryptor()
            unpadder = block_padding.PKCS7(_BLOCK).unpadder()
            return unpadder.update(decryptor.update(body) + decryptor.finalize()) + unpadder.finalize()
        except ValueError as error:
            raise CannotDecrypt(algorithm=self.name) from error

    def _algorithm(self, key: bytes) -> algorithms.AES | algorithms.SM4:
        if len(key) != self.key_size:
            raise ValueError(f"{self.name} takes a key of {self.key_size} octets")
        return algorithms.SM4(key) if self is SM4_CBC else algorithms.AES(key)


AES_128_CBC = ContentCipher("AES-128-CBC", "2.16.840.1.101.3.4.1.2", 16)
AES_256_CBC = ContentCipher("AES-256-CBC", "2.16.840.1.101.3.4.1.42", 32)
SM4_CBC = ContentCipher("SM4-CBC", oids.SM4_CBC, 16)
#: what SCEP calls the algorithms that are read here and in `signed_data` (RFC 8894 3.5.2): no triple DES, no SHA-1.
#: SHA-384 is not in its list, but strongSwan 5.9.8 takes it for SHA-256
SCEP_ALGORITHMS = ("AES", "SHA-256", "SHA-384", "SHA-512")
_CIPHERS = {each.oid: each for each in (AES_128_CBC, AES_256_CBC, SM4_CBC)}

#: KEKRecipientInfo's algorithm: AES-256 key wrap (RFC 3394, RFC 5649 has another)
_KEY_WRAP = der.sequence(der.oid(oids.AES_256_WRAP))


def envelop(
    content: bytes,
    recipient: Recipient,
    *,
    cipher: ContentCipher | None = None,
    content_type: str = oids.DATA,
    oaep: bool = True,
) -> bytes:
    """A ContentInfo in DER whose content only `recipient` opens; raises UnsupportedAlgorithm for a key that only signs.

    A certificate is named by issuer and serial number, a key by its identifier. `oaep` False is RSAES-PKCS1-v1_5, which
    older protocols expect (RFC 8894 3.1).
    """
    sm = key_of(recipient).algorithm == "sm2"
    chosen = cipher or (SM4_CBC if sm else AES_256_CBC)
    key = secrets.token_bytes(chosen.key_size)
    info = info_for(recipient, key, oaep=oaep)
    inner = oids.GM_DATA if sm and content_type == oids.DATA else content_type
    return _assemble(
        chosen.encrypt(key, content), info, inner, oids.GM_ENVELOPED_DATA if sm else oids.ENVELOPED_DATA
    )


def envelop_shared(content: bytes, secret: bytes, name: bytes, *, content_type: str = oids.DATA) -> bytes:
    """As `envelop`, for those who have `secret`, 32 octets, which both sides call `name`."""
    key = secrets.token_bytes(AES_256_CBC.key_size)
    wrapped = der.octets(aes_key_wrap(secret, key))
    fields = der.sequence(der.integer(4), der.sequence(der.octets(name)), _KEY_WRAP, wrapped)
    return _assemble(
        AES_256_CBC.encrypt(key, content), der.implicit(2, fields), content_type, oids.ENVELOPED_DATA
    )


def _assemble(encrypted: tuple[bytes, bytes], info: bytes, content_type: str, kind: str) -> bytes:
    algorithm, body = encrypted
    data = der.sequence(
        der.integer(version_with(info)),
        der.set_of([info]),
        der.sequence(der.oid(content_type), algorithm, der.tlv(0x80, body)),
    )
    return der.sequence(der.oid(kind), der.explicit(0, data))


@dataclass(frozen=True)
class EnvelopedData:
    """An EnvelopedData as somebody sent it."""

    content_type: str
    cipher: ContentCipher
    vector: bytes
    body: bytes
    recipients: tuple[bytes, ...]
    #: the ContentInfo itself, for whoever opens it elsewhere
    encoded: bytes

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read a ContentInfo; raises MalformedEnvelope, or UnsupportedAlgorithm for DES and its like."""
        try:
            der.check(data)
            outer, wrapped = der.elements(data)
            der.require(
                der.dotted(outer) in (oids.ENVELOPED_DATA, oids.GM_ENVELOPED_DATA), "not an EnvelopedData"
            )
            fields = [
                field for field in der.elements(der.tagged(wrapped, 0))[1:] if field[0] not in (0xA0, 0xA1)
            ]
            infos, encrypted = fields
            inner, algorithm, body = der.elements(encrypted)
            name, vector = der.elements(algorithm)
            cipher = _CIPHERS.get(der.dotted(name))
            if cipher is None:
                raise UnsupportedAlgorithm(what="content encryption", algorithm=der.dotted(name))
            return cls(
                der.dotted(inner),
                cipher,
                der.content(vector, der.OCTET_STRING),
                _octets(body),
                tuple(der.elements(infos, der.SET)),
                data,
            )
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedEnvelope(reason=str(error)) from error

    def open(self, recipient: Recipient, pkcs8: bytes) -> bytes:
        """The content, by the recipient's private key (DER PrivateKeyInfo, for this moment only).

        Raises CannotDecrypt when it is for somebody else or does not open, UnsupportedAlgorithm.
        """
        try:
            key = key_for(self.recipients, recipient, pkcs8)
            if key is not None:
                return self._decrypt(key)
        except (Malformed, ValueError, IndexError) as error:
            raise CannotDecrypt(algorithm=self.cipher.name) from error
        raise CannotDecrypt(algorithm=self.cipher.name)

    def open_shared(self, secret: bytes, name: bytes) -> bytes:
        """The content, by a shared secret; raises CannotDecrypt."""
        try:
            for info in self.recipients:
                if info[0] != 0xA2:
                    continue
                _, identifier, algorithm, wrapped = der.elements(info, 0xA2)
                if der.elements(identifier)[0] == der.octets(name) and algorithm == _KEY_WRAP:
                    return self._decrypt(aes_key_unwrap(secret, der.content(wrapped, der.OCTET_STRING)))
        except (Malformed, ValueError, IndexError, InvalidUnwrap) as error:
            raise CannotDecrypt(algorithm=self.cipher.name) from error
        raise CannotDecrypt(algorithm=self.cipher.name)

    def _decrypt(self, key: bytes) -> bytes:
        return self.cipher.decrypt(key, self.vector, self.body)


def _octets(body: bytes) -> bytes:
    """[0] IMPLICIT OCTET STRING, in one piece or, as some write it, in several."""
    if body[0] == 0x80:
        return der.content(body)
    pieces: Sequence[bytes] = der.elements(body, 0xA0)
    return b"".join(der.content(piece, der.OCTET_STRING) for piece in pieces)
