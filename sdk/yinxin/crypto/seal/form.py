"""Electronic seals (SESeal) as three standards write them, read strictly: GM/T 0031-2014, GB/T 38540-2020, GM/T 0031-2025.

A seal is a picture, a name and the certificates of those who may use it, signed by its *maker* 制章者. Who puts it on
something, its *user* 签章者, signs a second time (`yinxin.crypto.seal.signature`).

| version | standard | times | users are named by | maker's signature is over | timestamp |
| --- | --- | --- | --- | --- | --- |
| 1 | GM/T 0031-2014 | UTCTime | certificates | seal information, maker's certificate and algorithm | none |
| 4 | GB/T 38540-2020 | GeneralizedTime | certificates or their digests | seal information | none |
| 5 | GM/T 0031-2025 | GeneralizedTime | certificates or their digests | seal information | over the signature value, or none |
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import BadSignature, Malformed
from yinxin.crypto.seal.errors import MalformedSeal, NotASealUser, SealNotInForce
from yinxin.crypto.suite import SHA256, SM3, HashAlgorithm, SignatureAlgorithm, signature_algorithm
from yinxin.crypto.timestamps import Token


class Version(IntEnum):
    """The version that a seal's header states, and the standard behind it."""

    GMT_2014 = 1
    GBT_2020 = 4
    GMT_2025 = 5


class Kind(IntEnum):
    """Types of seal that GM/T 0031-2014 numbers; others are their makers' own."""

    UNIT = 1
    PERSONAL = 2


#: how users are named (certListType)
CERTIFICATES, DIGESTS = 1, 2
#: hash functions by which a list may name certificates. What a digest's type says is free text (the standard: "custom"), so it is compared by all of its length
_LIST_HASHES: tuple[HashAlgorithm, ...] = (SM3, SHA256)


@dataclass(frozen=True)
class Picture:
    """What a seal looks like: a file of the kind `format` (PNG, JPG, SVG …), shown `width` × `height` millimetres large."""

    format: str
    data: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True)
class Seal:
    """One seal. What it says counts after `verify`."""

    der: bytes = field(repr=False)
    version: int
    vendor: str
    id: str
    #: as in `Kind`, or a maker's own number
    type: int
    name: str
    created: datetime
    valid_from: datetime
    valid_until: datetime
    picture: Picture
    #: whom it is bound to: certificates in DER, or digests of certificates; one of the two is empty
    certificates: tuple[bytes, ...] = field(repr=False)
    digests: tuple[bytes, ...]
    maker: Certificate
    algorithm: SignatureAlgorithm
    #: what the maker signed, and the signature value
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    timestamp: Token | None = field(default=None, compare=False)

    def check_signature(self) -> None:
        """Raise BadSignature unless the maker signed exactly this."""
        if self.algorithm.family != self.maker.public_key.signature_algorithm.family:
            raise BadSignature(what="seal")
        self.maker.public_key.verify(self.signature, self.signed, self.algorithm, what="seal")

    def check_user(self, certificate: Certificate) -> None:
        """Raise NotASealUser unless the seal is bound to `certificate`."""
        named = any(each.digest(certificate.der) in self.digests for each in _LIST_HASHES)
        if certificate.der not in self.certificates and not named:
            raise NotASealUser(subject=certificate.subject.text, seal=self.name)

    def check_time(self, at: datetime) -> None:
        """Raise SealNotInForce unless the seal is valid at `at`; both ends are within."""
        if not self.valid_from <= at <= self.valid_until:
            raise SealNotInForce(
                seal=self.name, valid_from=self.valid_from, valid_until=self.valid_until, at=at
            )


def read(encoded: bytes) -> Seal:
    """Read a seal in DER; raises MalformedSeal or UnsupportedAlgorithm.

    The version is told by the number of elements and, between 4 and 5, by the header (as all readers do).
    """
    try:
        der.check(encoded)
        information, *rest = der.elements(encoded)
        old = len(rest) == 1
        certificate, algorithm, signature, *stamp = der.elements(rest[0]) if old else rest
        facts = _information(information, old=old)
        der.require(len(stamp) <= (facts["version"] == Version.GMT_2025), "more fields than its version has")
        return Seal(
            der=encoded,
            **facts,
            maker=Certificate(der.content(certificate, der.OCTET_STRING)),
            algorithm=signature_algorithm(der.dotted(algorithm), what="seal"),
            signed=der.sequence(information, certificate, algorithm) if old else information,
            signature=der.octets_of_bits(signature),
            timestamp=Token.load(der.octets_of_bits(der.tagged(stamp[0], 0))) if stamp else None,
        )
    except (Malformed, ValueError, IndexError) as error:
        raise MalformedSeal(reason=str(error)) from error


def _information(encoded: bytes, *, old: bool) -> dict[str, Any]:
    """SES_SealInfo: header, identifier, property, picture; data of the maker's own is carried and not judged."""
    header, identifier, held, picture, *extra = der.elements(encoded)
    mark, version, vendor = der.elements(header)
    number = der.number(version)
    der.require(der.content(mark, der.IA5) == b"ES", "the header is not of a seal")
    der.require(number == Version.GMT_2014 if old else number in (4, 5), f"form and version {number} differ")
    der.require(len(extra) <= 1, "fields after the picture")
    for each in extra:
        check_extensions(each)
    form, data, width, height = der.elements(picture)
    return {
        "version": number,
        "vendor": ia5(vendor),
        "id": ia5(identifier),
        "picture": Picture(
            ia5(form), der.content(data, der.OCTET_STRING), _positive(width), _positive(height)
        ),
        **_property(held, old=old),
    }


def _property(encoded: bytes, *, old: bool) -> dict[str, Any]:
    """SES_ESPropertyInfo: type, name, users and times."""
    kind, name, *how, users, created, begin, end = der.elements(encoded)
    der.require(len(how) == (0 if old else 1), "fields of another version")
    times = [_time(each, old=old) for each in (created, begin, end)]
    der.require(times[1] < times[2], "its validity ends before it begins")
    listed = der.number(how[0]) if how else CERTIFICATES
    der.require(listed in (CERTIFICATES, DIGESTS), "an unknown kind of list of users")
    named = der.elements(users)
    der.require(named, "nobody may use it")
    digests = [der.elements(each) for each in named] if listed == DIGESTS else []
    for type_, _ in digests:
        der.content(type_, der.PRINTABLE)
    return {
        "type": der.number(kind),
        "name": der.content(name, der.UTF8).decode("utf-8"),
        "created": times[0],
        "valid_from": times[1],
        "valid_until": times[2],
        "certificates": tuple(der.content(each, der.OCTET_STRING) for each in named) if not digests else (),
        "digests": tuple(der.content(value, der.OCTET_STRING) for _, value in digests),
    }


def check_extensions(encoded: bytes) -> None:
    """ExtensionDatas: what is critical and unknown would change the meaning, so it is refused (MalformedDer)."""
    for each in der.elements(encoded):
        name, *critical, value = der.elements(each)
        der.content(value, der.OCTET_STRING)
        der.require(critical in ([], [der.boolean(False)]), f"the critical extension {der.dotted(name)}")


def ia5(element: bytes) -> str:
    """The text of an IA5String; raises MalformedDer or ValueError."""
    return der.content(element, der.IA5).decode("ascii")


def _positive(element: bytes) -> int:
    value = der.number(element)
    der.require(value > 0, "a picture without size")
    return value


def _time(element: bytes, *, old: bool) -> datetime:
    der.require(element[0] == (der.UTC_TIME if old else der.GENERALIZED_TIME), "a time of another version")
    return der.instant(element)
