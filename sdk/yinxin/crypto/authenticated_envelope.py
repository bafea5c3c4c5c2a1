"""AuthEnvelopedData (RFC 5083) with AES-GCM (RFC 5084): content that one recipient can open, and nobody can change.

The form that the suite pq uses: a key that was encapsulated has to be used with an authenticated cipher (FIPS 203).
"""

import secrets
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from yinxin.crypto import der, oids
from yinxin.crypto.errors import CannotDecrypt, Malformed, MalformedEnvelope, UnsupportedAlgorithm
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.recipients import Recipient, info_for, key_for

#: id-ct-authEnvelopedData
CONTENT_TYPE = "1.2.840.113549.1.9.16.1.23"
_CIPHERS = {"2.16.840.1.101.3.4.1.6": 16, "2.16.840.1.101.3.4.1.26": 24, "2.16.840.1.101.3.4.1.46": 32}
_AES_256_GCM = "2.16.840.1.101.3.4.1.46"
_NONCE, _TAG = 12, 16


def envelop_authenticated(content: bytes, recipient: Recipient) -> bytes:
    """A ContentInfo in DER whose content only `recipient` opens, AES-256-GCM; raises UnsupportedAlgorithm.

    A certificate is named by issuer and serial number, a key by its identifier.
    """
    key, nonce = secrets.token_bytes(_CIPHERS[_AES_256_GCM]), secrets.token_bytes(_NONCE)
    try:
        info = info_for(recipient, key)
        sealed = AESGCM(key).encrypt(nonce, content, None)
    finally:
        cleanse(key)
    parameters = der.sequence(der.octets(nonce), der.integer(_TAG))
    algorithm = der.sequence(der.oid(_AES_256_GCM), parameters)
    data = der.sequence(
        der.integer(0),
        der.set_of([info]),
        der.sequence(der.oid(oids.DATA), algorithm, der.tlv(0x80, sealed[:-_TAG])),
        der.octets(sealed[-_TAG:]),
    )
    return der.sequence(der.oid(CONTENT_TYPE), der.explicit(0, data))


def is_authenticated(data: bytes) -> bool:
    """Whether the bytes are a ContentInfo of this type, whatever is inside."""
    try:
        return der.dotted(der.elements(data)[0]) == CONTENT_TYPE
    except (Malformed, IndexError):
        return False


@dataclass(frozen=True)
class AuthenticatedEnvelope:
    """An AuthEnvelopedData as somebody sent it."""

    content_type: str
    key_size: int
    nonce: bytes
    body: bytes
    mac: bytes
    #: what is authenticated beside the content: the attributes as a SET, or nothing
    associated: bytes
    recipients: tuple[bytes, ...]

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read a ContentInfo; raises MalformedEnvelope, or UnsupportedAlgorithm for a cipher or tag that is not read here."""
        try:
            der.check(data)
            outer, wrapped = der.elements(data)
            der.require(der.dotted(outer) == CONTENT_TYPE, "not an AuthEnvelopedData")
            version, *fields = der.elements(der.tagged(wrapped, 0))
            der.require(version == der.integer(0), "not version 0")
            if fields[0][0] == 0xA0:  # who sent it: of no use to the recipient here
                fields = fields[1:]
            infos, encrypted, *attributes, mac = [each for each in fields if each[0] != 0xA2]
            der.require(len(attributes) <= 1, "a field too many")
            inner, algorithm, body = der.elements(encrypted)
            size, nonce = _cipher(algorithm)
            associated = b"".join(bytes((der.SET,)) + each[1:] for each in attributes)
            # RFC 5083 2.1: attributes are missing only where the content is plain data
            der.require(associated or der.dotted(inner) == oids.DATA, "attributes are missing")
            return cls(
                der.dotted(inner),
                size,
                nonce,
                der.content(body, 0x80),
                der.content(mac, der.OCTET_STRING),
                associated,
                tuple(der.elements(infos, der.SET)),
            )
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedEnvelope(reason=str(error)) from error

    def open(self, recipient: Recipient, pkcs8: bytes) -> bytes:
        """The content, by the recipient's private key (DER PrivateKeyInfo, for this moment only).

        Raises CannotDecrypt when it is for somebody else, does not open or was changed, UnsupportedAlgorithm.
        """
        try:
            key = key_for(self.recipients, recipient, pkcs8)
        except (Malformed, ValueError, IndexError) as error:
            raise CannotDecrypt(algorithm="AES-GCM") from error
        if key is None:
            raise CannotDecrypt(algorithm="AES-GCM")
        try:
            return self.decrypt(key)
        finally:
            cleanse(key)

    def decrypt(self, key: bytes) -> bytes:
        """The content, by its key; raises CannotDecrypt."""
        if len(key) != self.key_size or len(self.mac) != _TAG:
            raise CannotDecrypt(algorithm="AES-GCM")
        try:
            return AESGCM(key).decrypt(self.nonce, self.body + self.mac, self.associated or None)
        except InvalidTag as error:
            raise CannotDecrypt(algorithm="AES-GCM") from error


def _cipher(algorithm: bytes) -> tuple[int, bytes]:
    """Octets of the key, and the nonce; raises UnsupportedAlgorithm, also for a tag shorter than 16 octets."""
    name, parameters = der.elements(algorithm)
    size = _CIPHERS.get(der.dotted(name))
    if size is None:
        raise UnsupportedAlgorithm(what="content encryption", algorithm=der.dotted(name))
    nonce, *length = der.elements(parameters)
    if length != [der.integer(_TAG)]:
        raise UnsupportedAlgorithm(what="content encryption", algorithm="AES-GCM with a short tag")
    octets = der.content(nonce, der.OCTET_STRING)
    der.require(len(octets) == _NONCE, "not a nonce of 96 bits")
    return size, octets
