"""Whom an attribute certificate speaks of: one certificate, by issuer and serial number, and its digest if wanted.

RFC 5755 4.2.2. `entityName` alone would hand the attributes to whatever certificate bears the name next, so it is
neither written nor accepted.
"""

from dataclasses import dataclass
from typing import Self

from yinxin.crypto import der
from yinxin.crypto.attribute.errors import HolderDiffers
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.general_names import write_general_names
from yinxin.crypto.names import Name
from yinxin.crypto.suite import HashAlgorithm, hash_algorithm

#: ObjectDigestInfo: the whole certificate is digested
_PUBLIC_KEY_CERT = der.enumerated(1)


@dataclass(frozen=True)
class Digest:
    """ObjectDigestInfo of the holder's certificate (RFC 5755 7.3): hash and value."""

    hash: HashAlgorithm
    value: bytes

    @property
    def der(self) -> bytes:
        """ObjectDigestInfo in DER."""
        return der.sequence(_PUBLIC_KEY_CERT, self.hash.identifier, der.bits(self.value))

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read ObjectDigestInfo; raises MalformedDer, ValueError, UnsupportedAlgorithm."""
        kind, identifier, value = der.elements(encoded)
        if kind != _PUBLIC_KEY_CERT:
            raise ValueError("the digest is not of the holder's certificate")
        name, *parameters = der.elements(identifier)
        if parameters not in ([], [der.null()]):
            raise ValueError("the digest's algorithm has parameters")
        hash_ = hash_algorithm(der.dotted(name))
        digest = der.octets_of_bits(value)
        if len(digest) != hash_.size:
            raise ValueError("the digest is not of its algorithm's size")
        return cls(hash_, digest)


@dataclass(frozen=True)
class Holder:
    """The certificate of the holder."""

    issuer: Name
    serial: int
    digest: Digest | None = None

    @classmethod
    def of(cls, certificate: Certificate, digest: HashAlgorithm | None = None) -> Self:
        """The holder of this certificate; with `digest`, bound to its very octets as well."""
        bound = Digest(digest, digest.digest(certificate.der)) if digest else None
        return cls(certificate.issuer, certificate.serial, bound)

    @property
    def der(self) -> bytes:
        """Holder in DER: baseCertificateID, and objectDigestInfo when there is a digest."""
        issuer = write_general_names([("dirname", self.issuer.der.hex())])
        base = der.implicit(0, der.sequence(issuer, der.integer(self.serial)))
        return der.sequence(base, der.implicit(2, self.digest.der) if self.digest else b"")

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read Holder; raises MalformedDer, MalformedName, ValueError, UnsupportedAlgorithm."""
        fields = {each[0]: each for each in der.elements(encoded)}
        if len(fields) != len(der.elements(encoded)) or not fields.keys() <= {0xA0, 0xA2}:
            raise ValueError("the holder is named otherwise than by a certificate")
        if list(fields) != sorted(fields) or 0xA0 not in fields:
            raise ValueError("the holder has no baseCertificateID")
        issuer, serial = der.elements(_sequence(fields[0xA0]))
        number = der.number(serial)
        if not 0 < number < 1 << 160:
            raise ValueError("the holder's serial number is not positive or longer than 20 octets")
        digest = Digest.read(_sequence(fields[0xA2])) if 0xA2 in fields else None
        return cls(directory_name(issuer), number, digest)

    def match(self, certificate: Certificate, serial: str) -> None:
        """Raise HolderDiffers unless `certificate` is the holder's; `serial` names the attribute certificate."""
        same = {
            "serial": certificate.serial == self.serial,
            "issuer": certificate.issuer.matches(self.issuer),
            "digest": self.digest is None or self.digest.hash.digest(certificate.der) == self.digest.value,
        }
        for field, holds in same.items():
            if not holds:
                raise HolderDiffers(serial=serial, subject=certificate.subject.text, field=field)


def directory_name(encoded: bytes) -> Name:
    """The one directory name that GeneralNames holds (RFC 5755 4.2.2, 4.2.3); raises MalformedDer, ValueError."""
    names = der.elements(encoded)
    if len(names) != 1 or names[0][0] != 0xA4:
        raise ValueError("not exactly one directory name")
    name = Name(der.content(names[0]))
    if not name:
        raise ValueError("an empty directory name")
    return name


def _sequence(field: bytes) -> bytes:
    """A constructed field under an implicit tag as the SEQUENCE it is."""
    return bytes((der.SEQUENCE,)) + field[1:]
