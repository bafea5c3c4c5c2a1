"""Distribution points in certificates: where the lists are that speak for it, and whose (RFC 5280 4.2.1.13, 15)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from yinxin.crypto import der
from yinxin.crypto.general_names import GeneralName, read_general_names, write_general_name
from yinxin.crypto.oids import REASON_FLAGS


@dataclass(frozen=True)
class PointName:
    """What a list is called: addresses and other general names, or one name relative to its issuer's."""

    urls: tuple[str, ...] = ()
    others: tuple[GeneralName, ...] = ()
    #: DER of the RelativeDistinguishedName that follows the issuer's name; instead of the others
    relative: bytes | None = None

    @property
    def names(self) -> tuple[GeneralName, ...]:
        """The full names as (kind, text)."""
        return (*(("uri", url) for url in self.urls), *self.others)

    def write(self, field: str) -> bytes:
        """DistributionPointName under its tag [0], or nothing when there is no name; raises MalformedTemplate."""
        if self.relative is not None:
            return der.explicit(0, b"\xa1" + self.relative[1:])
        names = b"".join(write_general_name(kind, text, field) for kind, text in self.names)
        return der.explicit(0, der.tlv(0xA0, names)) if names else b""

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read a DistributionPointName; raises MalformedDer or ValueError."""
        if encoded[0] == 0xA1:
            return cls(relative=bytes((der.SET,)) + encoded[1:])
        names = read_general_names(b"\x30" + encoded[1:]) if encoded[0] == 0xA0 else ()
        if not names:
            raise ValueError("a distribution point has an empty name")
        urls = tuple(text for kind, text in names if kind == "uri")
        return cls(urls, tuple(each for each in names if each[0] != "uri"))


@dataclass(frozen=True)
class CrlPoint:
    """One place where a certificate's status is published."""

    urls: tuple[str, ...] = ()
    #: names of `oids.REASON_FLAGS`, if this place tells of those reasons only
    reasons: frozenset[str] | None = None
    #: who signs the list, where that is not the certificate's issuer
    issuer: tuple[GeneralName, ...] = ()
    others: tuple[GeneralName, ...] = ()
    #: see `PointName.relative`
    relative: bytes | None = None

    @property
    def name(self) -> PointName:
        """What the list there is called."""
        return PointName(self.urls, self.others, self.relative)


def write_points(points: Iterable[CrlPoint], field: str) -> bytes:
    """CRLDistributionPoints in DER; raises MalformedTemplate."""
    return der.sequence(*(_write(point, field) for point in points))


def _write(point: CrlPoint, field: str) -> bytes:
    issuer = b"".join(write_general_name(kind, text, field) for kind, text in point.issuer)
    return der.sequence(
        point.name.write(field),
        b"" if point.reasons is None else write_reasons(point.reasons, 1),
        der.tlv(0xA2, issuer) if issuer else b"",
    )


def read_points(encoded: bytes) -> tuple[CrlPoint, ...]:
    """Read CRLDistributionPoints; raises MalformedDer or ValueError."""
    return tuple(_read(each) for each in der.elements(encoded))


def _read(encoded: bytes) -> CrlPoint:
    fields = by_tag(encoded, (0xA0, 0x81, 0xA2))
    name = PointName.read(der.tagged(fields[0xA0], 0)) if 0xA0 in fields else PointName()
    issuer = read_general_names(b"\x30" + fields[0xA2][1:]) if 0xA2 in fields else ()
    if 0xA0 not in fields and not issuer:
        raise ValueError("a distribution point names neither a place nor an issuer")
    reasons = read_reasons(fields[0x81]) if 0x81 in fields else None
    return CrlPoint(name.urls, reasons, issuer, name.others, name.relative)


def by_tag(encoded: bytes, tags: tuple[int, ...]) -> dict[int, bytes]:
    """The optional fields of a SEQUENCE, each at most once and in the order of `tags`; MalformedDer or ValueError."""
    fields = der.elements(encoded)
    places = [tags.index(each[0]) for each in fields]  # ValueError when the field is none of them
    if places != sorted(set(places)):
        raise ValueError("fields stand twice or in the wrong order")
    return {each[0]: each for each in fields}


def write_reasons(reasons: frozenset[str], number: int) -> bytes:
    """[number] IMPLICIT ReasonFlags of names of `oids.REASON_FLAGS`."""
    return der.implicit(number, der.named_bits([REASON_FLAGS[each] for each in reasons]))


def read_reasons(encoded: bytes) -> frozenset[str]:
    """Read ReasonFlags whatever their tag; raises MalformedDer or ValueError."""
    octets = der.content(encoded)
    der.check(der.tlv(der.BIT_STRING, octets))
    bits = int.from_bytes(octets[1:].ljust(2, b"\0"), "big")
    return frozenset(name for name, place in REASON_FLAGS.items() if bits >> (15 - place) & 1)
