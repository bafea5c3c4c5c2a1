"""pkiMessage (RFC 8894 section 3): a signed message whose attributes are the protocol's header, its content an envelope."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from ca.enrolment.errors import UnsupportedRequest
from ca.scep.errors import BadScepMessage
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed
from yinxin.crypto.signed_data import SignedData
from yinxin.text import Text

_ATTRIBUTES = "2.16.840.1.113733.1.9"
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO = (f"{_ATTRIBUTES}.{n}" for n in (2, 3, 4))
SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION_ID = (f"{_ATTRIBUTES}.{n}" for n in (5, 6, 7))
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"
_KIND = "SCEP message"
#: octets of a nonce (RFC 8894 3.2.1.5)
_NONCE = 16
_LONGEST = 128


class Type(StrEnum):
    """messageType (RFC 8894 3.2.1.2)."""

    CERT_REP = "3"
    RENEWAL_REQ = "17"
    PKCS_REQ = "19"
    CERT_POLL = "20"
    GET_CERT = "21"
    GET_CRL = "22"


@dataclass(frozen=True)
class Header:
    """What an answer needs of its question."""

    kind: str
    transaction: str
    nonce: bytes


@dataclass(frozen=True)
class PkiMessage:
    """A message whose signature holds: by `signer`, of whom nothing else is known yet."""

    kind: Type
    signer: Certificate
    #: the pkcsPKIEnvelope, a ContentInfo in DER
    envelope: bytes

    @classmethod
    def verified(cls, encoded: bytes, header: Header) -> Self:
        """Read and verify; raises MalformedSignature, UnsupportedAlgorithm (MD5, SHA-1), DigestMismatch, BadSignature."""
        signed = SignedData.load(encoded, _KIND, named=False)
        signer = signed.verify(None, _KIND)
        # a CertRep is ours to send
        kind = next((each for each in Type if each == header.kind and each is not Type.CERT_REP), None)
        if kind is None:
            remedy = Text("请用 RFC 8894 中客户端的报文类型", "use a client's message type of RFC 8894")
            raise UnsupportedRequest(what=f"messageType {header.kind[:10]}", remedy=remedy)
        return cls(kind, signer, signed.content or b"")


def header_of(encoded: bytes) -> tuple[Header, Certificate]:
    """Header and signer's certificate of a message that is not verified yet, so that its refusal can be addressed.

    Raises BadScepMessage when there is nobody and nothing to answer to.
    """
    try:
        der.check(encoded)
        fields = der.elements(der.tagged(der.elements(encoded)[1], 0))
        (info,) = der.elements(fields[-1], der.SET)
        attributes: dict[str, bytes] = {}
        for attribute in der.elements(der.elements(info)[3], 0xA0):
            name, values = der.elements(attribute)
            der.require(der.dotted(name) not in attributes, "an attribute stands there twice")
            (attributes[der.dotted(name)],) = der.elements(values, der.SET)
        listed = [each for field in fields[3:-1] if field[0] == 0xA0 for each in der.elements(field, 0xA0)]
        header = Header(
            kind=_text(attributes[MESSAGE_TYPE]),
            transaction=_text(attributes[TRANSACTION_ID]),
            nonce=der.content(attributes[SENDER_NONCE], der.OCTET_STRING),
        )
        der.require(len(header.nonce) == _NONCE, "the sender's nonce has not 16 octets")
        der.require(
            0 < len(header.transaction) <= _LONGEST, "the transaction identifier is missing or too long"
        )
        return header, Certificate(listed[0])
    except (Malformed, ValueError, IndexError, KeyError) as error:
        raise BadScepMessage(reason=str(error)) from error


def attribute(oid: str, value: bytes) -> bytes:
    """A signed attribute in DER."""
    return der.sequence(der.oid(oid), der.set_of([value]))


def _text(value: bytes) -> str:
    der.require(value[0] in (der.PRINTABLE, der.UTF8, der.IA5), "not a printable text")
    return der.content(value).decode("ascii")
