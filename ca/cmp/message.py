"""PKIMessage (RFC 9810 section 5): its header and body read strictly, and answers written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Self

from ca.cmp.errors import BadMessage
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed
from yinxin.crypto.names import Name
from yinxin.errors import Invalid

#: protocol versions (RFC 9810 7): 3 only where a hash algorithm is named
VERSIONS = (2, 3)
IMPLICIT_CONFIRM, CONFIRM_WAIT, CERT_PROFILE = (f"1.3.6.1.5.5.7.4.{n}" for n in (13, 14, 21))


class Body(IntEnum):
    """What a message is: the tags of PKIBody."""

    IR = 0
    IP = 1
    CR = 2
    CP = 3
    P10CR = 4
    KUR = 7
    KUP = 8
    RR = 11
    RP = 12
    PKICONF = 19
    NESTED = 20
    GENM = 21
    GENP = 22
    ERROR = 23
    CERTCONF = 24
    POLLREQ = 25
    POLLREP = 26


#: a request for a certificate → its response
RESPONSES = {Body.IR: Body.IP, Body.CR: Body.CP, Body.P10CR: Body.CP, Body.KUR: Body.KUP}


@dataclass(frozen=True)
class Header:
    """PKIHeader (RFC 9810 5.1.1); octets where there is nothing to understand."""

    version: int
    #: GeneralName, as it stands there
    sender: bytes
    recipient: bytes
    transaction: bytes
    sender_nonce: bytes
    recipient_nonce: bytes = b""
    time: datetime | None = None
    protection: bytes = b""
    sender_key: bytes = b""
    general: Mapping[str, bytes | None] | None = None

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read a PKIHeader; raises MalformedDer, ValueError or IndexError."""
        version, sender, recipient, *fields = der.elements(encoded)
        tagged = {field[0] & 0x1F: der.content(field) for field in fields}
        der.require(len(tagged) == len(fields), "a field of the header stands there twice")
        return cls(
            version=der.number(version),
            sender=sender,
            recipient=recipient,
            transaction=_octets(tagged, 4),
            sender_nonce=_octets(tagged, 5),
            recipient_nonce=_octets(tagged, 6),
            time=der.instant(tagged[0]) if 0 in tagged else None,
            protection=_algorithm(tagged, 1),
            sender_key=_octets(tagged, 2),
            general=_infos(tagged[8]) if 8 in tagged else {},
        )

    @property
    def der(self) -> bytes:
        """PKIHeader in DER."""
        infos = [info(oid, value) for oid, value in (self.general or {}).items()]
        optional = (
            (0, der.generalized(self.time) if self.time else b""),
            (1, self.protection),
            (2, der.octets(self.sender_key) if self.sender_key else b""),
            (4, der.octets(self.transaction) if self.transaction else b""),
            (5, der.octets(self.sender_nonce) if self.sender_nonce else b""),
            (6, der.octets(self.recipient_nonce) if self.recipient_nonce else b""),
            (8, der.sequence(*infos) if infos else b""),
        )
        written = [der.explicit(number, part) for number, part in optional if part]
        return der.sequence(der.integer(self.version), self.sender, self.recipient, *written)


@dataclass(frozen=True)
class Message:
    """A PKIMessage as it came. Nothing it says counts before its protection is verified."""

    der: bytes
    header: Header
    kind: Body
    #: what stands inside the body's tag
    content: bytes
    #: the octets that are protected: SEQUENCE of header and body (RFC 9810 5.1.3)
    protected: bytes
    protection: bytes | None
    extra: tuple[bytes, ...]

    @classmethod
    def load(cls, encoded: bytes) -> Self:
        """Read a message; raises BadMessage."""
        try:
            der.check(encoded)
            header, body, *fields = der.elements(encoded)
            tagged = {field[0]: field for field in fields}
            der.require(len(tagged) == len(fields) and tagged.keys() <= {0xA0, 0xA1}, "a strange field")
            der.require(body[0] & 0xE0 == 0xA0, "not a body")
            protection = der.octets_of_bits(der.tagged(tagged[0xA0], 0)) if 0xA0 in tagged else None
            extra = der.elements(der.tagged(tagged[0xA1], 1)) if 0xA1 in tagged else []
            return cls(
                der=encoded,
                header=Header.read(header),
                kind=Body(body[0] & 0x1F),
                content=der.content(body),
                protected=der.sequence(header, body),
                protection=protection,
                extra=tuple(extra),
            )
        except (Malformed, ValueError, IndexError) as error:
            raise BadMessage(reason=str(error)) from error

    def certificates(self) -> list[Certificate]:
        """The extra certificates that can be read; whoever put others in has no use of them."""
        found = []
        for each in self.extra:
            try:
                found.append(Certificate(each))
            except Invalid:
                continue
        return found


def assemble(
    header: Header, body: bytes, protection: bytes | None, extra: Iterable[Certificate] = ()
) -> bytes:
    """A PKIMessage in DER."""
    listed = [each.der for each in extra]
    return der.sequence(
        header.der,
        body,
        der.explicit(0, der.bits(protection)) if protection is not None else b"",
        der.explicit(1, der.sequence(*listed)) if listed else b"",
    )


def body_of(kind: Body, content: bytes) -> bytes:
    """PKIBody in DER."""
    return der.explicit(kind, content)


def info(oid: str, value: bytes | None) -> bytes:
    """InfoTypeAndValue."""
    return der.sequence(der.oid(oid), value or b"")


def directory_name(name: Name) -> bytes:
    """GeneralName of a distinguished name."""
    return der.explicit(4, name.der)


def _octets(tagged: Mapping[int, bytes], number: int) -> bytes:
    return der.content(tagged[number], der.OCTET_STRING) if number in tagged else b""


def _algorithm(tagged: Mapping[int, bytes], number: int) -> bytes:
    """An AlgorithmIdentifier as it stands there, which names an algorithm."""
    if number not in tagged:
        return b""
    name, *_ = der.elements(tagged[number])
    der.dotted(name)
    return tagged[number]


def _infos(field: bytes) -> dict[str, bytes | None]:
    return dict(read_infos(field))


def read_infos(field: bytes) -> list[tuple[str, bytes | None]]:
    """SEQUENCE OF InfoTypeAndValue; raises MalformedDer."""
    found: list[tuple[str, bytes | None]] = []
    for each in der.elements(field):
        name, *value = der.elements(each)
        der.require(len(value) <= 1, "an information with several values")
        found.append((der.dotted(name), value[0] if value else None))
    return found
