"""Attribute certificates of every suite, read strictly and never changed (RFC 5755 section 4)."""

import hashlib
from functools import cached_property
from typing import Self

from yinxin.crypto import der, oids, pem
from yinxin.crypto.attribute.claims import Claims, whole_second
from yinxin.crypto.attribute.errors import MalformedAttributeCertificate
from yinxin.crypto.attribute.holder import Holder, directory_name
from yinxin.crypto.attribute.targets import Target, read_targets
from yinxin.crypto.certificates import Certificate, algorithm_of
from yinxin.crypto.errors import Malformed, UnsupportedAlgorithm, WrongIssuer
from yinxin.crypto.oids import Extension
from yinxin.crypto.points import CrlPoint, read_points

LABEL = "ATTRIBUTE CERTIFICATE"
#: octets; a larger one is not read
LARGEST = 262_144
#: attributes, and values of one, and extensions
_MOST = 256


class AttributeCertificate:
    """One attribute certificate. Immutable; equal when the DER is. Whether it holds is `attribute.verify`'s to say."""

    def __init__(self, encoded: bytes) -> None:
        """Read DER; raises MalformedAttributeCertificate or UnsupportedAlgorithm."""
        try:
            der.require(len(encoded) <= LARGEST, f"more than {LARGEST} octets")
            der.check(encoded)
            self._read(encoded)
        except UnsupportedAlgorithm:
            raise
        except (Malformed, ValueError, IndexError, KeyError) as error:
            raise MalformedAttributeCertificate(reason=str(error)) from error
        self.der = encoded

    def _read(self, encoded: bytes) -> None:
        #: the signed octets (AttributeCertificateInfo), and the signature
        self.tbs, algorithm, signature = der.elements(encoded)
        version, holder, issuer, inner, serial, period, attributes, *rest = der.elements(self.tbs)
        der.require(version == der.integer(1), "not version 2")
        der.require(inner == algorithm, "the two signature algorithms differ")
        self.signature = der.octets_of_bits(signature)
        self.signature_algorithm = algorithm_of(algorithm, "attribute certificate")
        self.holder = Holder.read(holder)
        der.require(issuer[0] == 0xA0, "the issuer is not in v2Form")
        (names,) = der.elements(bytes((der.SEQUENCE,)) + issuer[1:])
        #: the authority's name (v2Form, RFC 5755 4.2.3)
        self.issuer = directory_name(names)
        self.serial = der.number(serial)
        der.require(0 < self.serial < 1 << 160, "serial number is not positive or longer than 20 octets")
        #: first and last instant of validity, aware, UTC; both inside
        self.not_before, self.not_after = map(whole_second, der.elements(period))
        der.require(self.not_before <= self.not_after, "it ends before it begins")
        self._attributes = _attributes(attributes)
        self.extensions = _extensions(rest)
        self._read_extensions()

    def _read_extensions(self) -> None:
        for each in self.extensions.values():
            der.check(each.value)
        known = self.extensions
        targets, points = known.get(oids.TARGET_INFORMATION), known.get(oids.CRL_DISTRIBUTION_POINTS)
        #: whom it is meant for; empty: anybody
        self.targets: tuple[Target, ...] = read_targets(targets.value) if targets else ()
        der.require(targets is None or targets.critical, "targets that are not critical")
        #: where the authority's list is
        self.crl_points: tuple[CrlPoint, ...] = read_points(points.value) if points else ()
        none = known.get(oids.NO_REV_AVAIL)
        der.require(none is None or none.value == der.null(), "noRevAvail is not NULL")
        der.require(none is None or points is None, "noRevAvail beside a revocation list")
        key_id = known.get(oids.AUTHORITY_KEY_ID)
        #: key identifier of the authority
        self.authority_key_id: bytes | None = _key_id(key_id.value) if key_id else None

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read one attribute certificate in DER or PEM; raises MalformedAttributeCertificate."""
        if not pem.is_pem(data):
            return cls(data)
        try:
            (block,) = pem.decode(LABEL, data)
        except ValueError as error:
            raise MalformedAttributeCertificate(reason=f"not one PEM block {LABEL}") from error
        return cls(block)

    # --- what it says ------------------------------------------------------------------------------------------

    @cached_property
    def claims(self) -> Claims:
        """What it states of its holder; raises MalformedAttributeCertificate when the attributes are not of our kind."""
        try:
            return Claims.read(self._attributes)
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedAttributeCertificate(reason=str(error)) from error

    @property
    def attributes(self) -> dict[str, tuple[bytes, ...]]:
        """Every attribute's values in DER, by object identifier."""
        return dict(self._attributes)

    @property
    def revocable(self) -> bool:
        """Whether its revocation would be told."""
        return oids.NO_REV_AVAIL not in self.extensions

    @property
    def crl_urls(self) -> tuple[str, ...]:
        """Every address of the authority's list."""
        return tuple(url for point in self.crl_points for url in point.urls)

    @property
    def name(self) -> str:
        """Serial number, hexadecimal: how pages and errors name it."""
        return f"{self.serial:x}"

    @property
    def pem(self) -> str:
        """RFC 7468 text."""
        return pem.encode(LABEL, self.der)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    # --- what it proves ----------------------------------------------------------------------------------------

    def issued_by(self, authority: Certificate) -> None:
        """Verify that the key of `authority` signed this and that the names meet; raises WrongIssuer or BadSignature.

        Says nothing of whether it may: that is `attribute.verify`.
        """
        expected = self.authority_key_id
        if not self.issuer.matches(authority.subject) or expected not in (
            None,
            authority.subject_key_id or expected,
        ):
            raise WrongIssuer(subject=f"attribute certificate {self.name}", issuer=authority.subject.text)
        authority.public_key.verify(
            self.signature, self.tbs, self.signature_algorithm, what="attribute certificate"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AttributeCertificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<AttributeCertificate {self.issuer.text} serial {self.name}>"


def _attributes(encoded: bytes) -> dict[str, tuple[bytes, ...]]:
    """Each type once, each with a value (RFC 5755 4.2.7)."""
    found: dict[str, tuple[bytes, ...]] = {}
    for each in der.elements(encoded):
        name, values = der.elements(each)
        oid, given = der.dotted(name), der.elements(values, der.SET)
        der.require(oid not in found and given, f"attribute {oid} stands twice or has no value")
        der.require(given == sorted(given) and len(set(given)) == len(given), "a set out of order")
        der.require(len(given) <= _MOST, "too many values")
        found[oid] = tuple(given)
    der.require(0 < len(found) <= _MOST, "no attributes, or too many")
    return found


def _extensions(rest: list[bytes]) -> dict[str, Extension]:
    """At the end: issuerUniqueID, which nobody may write (RFC 5755 4.2.8), and the extensions."""
    if not rest:
        return {}
    (field,) = rest
    found: dict[str, Extension] = {}
    for each in map(Extension.read, der.elements(field)):
        der.require(each.oid not in found, f"extension {each.oid} stands twice")
        found[each.oid] = each
    der.require(0 < len(found) <= _MOST, "no extensions, or too many")
    return found


def _key_id(value: bytes) -> bytes:
    (field,) = der.elements(value)
    return der.content(field, 0x80)
