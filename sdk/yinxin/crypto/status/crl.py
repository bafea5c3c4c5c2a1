"""Certificate revocation lists (RFC 5280 section 5): whole, by shard, and delta."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self, TypeVar

from cryptography import x509

from yinxin.crypto import der, oids, pem
from yinxin.crypto.certificates import Certificate, algorithm_of
from yinxin.crypto.errors import KeyMismatch, Malformed, MalformedStatus, UsageNotAllowed, WrongIssuer
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.keys import Signer
from yinxin.crypto.names import Folded, Name
from yinxin.crypto.oids import Extension, read_extensions
from yinxin.crypto.points import (
    CrlPoint,
    PointName,
    by_tag,
    read_points,
    read_reasons,
    write_points,
    write_reasons,
)
from yinxin.crypto.status.words import Reason, Revoked
from yinxin.crypto.suite import SignatureAlgorithm

_Value = TypeVar("_Value", bound=x509.ExtensionType)
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class DistributionPoint:
    """Which certificates a list speaks for (RFC 5280 5.2.5); empty means all of its issuer's."""

    urls: tuple[str, ...] = ()
    only_user: bool = False
    only_ca: bool = False
    only_attribute: bool = False
    #: it may hold certificates of other issuers
    indirect: bool = False
    #: names of `oids.REASON_FLAGS`, if the list tells of those reasons only
    reasons: frozenset[str] | None = None
    others: tuple[GeneralName, ...] = ()
    #: see `PointName.relative`
    relative: bytes | None = None

    @property
    def name(self) -> PointName:
        """What the list is called."""
        return PointName(self.urls, self.others, self.relative)

    def covers(self, certificate: Certificate) -> bool:
        """Whether a list of its own issuer, with this scope and found by address, tells everything of `certificate`."""
        if self.indirect or self.reasons is not None or self.others or self.relative:
            return False
        return self.holds(certificate) and (
            not self.urls or not set(self.urls).isdisjoint(certificate.crl_urls)
        )

    def holds(self, certificate: Certificate) -> bool:
        """Whether `certificate` is of the kind that such a list may hold (RFC 5280 6.3.3 b 2)."""
        return not self.only_attribute and not (self.only_ca if not certificate.is_ca else self.only_user)

    @property
    def der(self) -> bytes:
        """IssuingDistributionPoint in DER; raises MalformedTemplate."""
        flags = {1: self.only_user, 2: self.only_ca, 4: self.indirect, 5: self.only_attribute}
        parts = {number: der.implicit(number, der.boolean(True)) for number, given in flags.items() if given}
        if self.reasons is not None:
            parts[3] = write_reasons(self.reasons, 3)
        return der.sequence(self.name.write("scope"), *(part for _, part in sorted(parts.items())))

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read one; raises MalformedDer or ValueError."""
        fields = by_tag(encoded, (0xA0, 0x81, 0x82, 0x83, 0x84, 0x85))
        name = PointName.read(der.tagged(fields[0xA0], 0)) if 0xA0 in fields else PointName()
        flags = {tag: fields[tag][1:] == b"\x01\xff" for tag in (0x81, 0x82, 0x84, 0x85) if tag in fields}
        if not all(flags.values()):
            raise ValueError("a flag of the distribution point is not DER")
        reasons = read_reasons(fields[0x83]) if 0x83 in fields else None
        kinds = (0x81 in flags, 0x82 in flags, 0x85 in flags)
        if sum(kinds) > 1:  # RFC 5280 5.2.5: at most one of them
            raise ValueError("the distribution point is for two kinds of certificates alone")
        return cls(name.urls, *kinds, 0x84 in flags, reasons, name.others, name.relative)


def build_crl(
    *,
    signer: Signer,
    issuer: Certificate,
    number: int,
    this_update: datetime,
    next_update: datetime,
    revoked: Iterable[tuple[int, Revoked]] = (),
    entries: bytes = b"",
    scope: DistributionPoint | None = None,
    delta_base: int | None = None,
    freshest: tuple[CrlPoint, ...] = (),
) -> bytes:
    """A signed CRL v2 in DER; `revoked` gives (serial number, what happened), in the order to be written.

    `entries` are written before them as they are: those of an earlier list (`CertificateList.entries`). `scope` makes it a shard; `delta_base` makes it a delta to the list of that number; `freshest` says where the deltas
    to a whole list are. In a delta, a certificate no longer held has the reason REMOVE_FROM_CRL. Raises KeyMismatch when
    `signer` is not the key of `issuer`, MalformedTemplate when the scope cannot be written.
    """
    if signer.public_key != issuer.public_key:
        raise KeyMismatch(subject=issuer.subject.text)
    algorithm = signer.public_key.signature_algorithm.identifier
    extensions = _extensions(issuer, number, scope, delta_base, freshest)
    body = b"".join((entries, *(_entry(serial, what) for serial, what in revoked)))
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        issuer.subject.der,
        der.time(this_update),
        der.time(next_update),
        der.sequence(body) if body else b"",
        der.explicit(0, der.sequence(*(each.der for each in extensions))),
    )
    return der.sequence(tbs, algorithm, der.bits(signer.sign(tbs)))


def _entry(serial: int, what: Revoked) -> bytes:
    extensions = []
    if what.reason not in (None, Reason.UNSPECIFIED):  # RFC 5280 5.3.1: unspecified is said by saying nothing
        extensions.append(Extension(oids.REASON_CODE, False, der.enumerated(what.reason.code)).der)
    if what.invalid_since:
        extensions.append(Extension(oids.INVALIDITY_DATE, False, der.generalized(what.invalid_since)).der)
    return der.sequence(
        der.integer(serial), der.time(what.at), der.sequence(*extensions) if extensions else b""
    )


def _extensions(
    issuer: Certificate,
    number: int,
    scope: DistributionPoint | None,
    delta_base: int | None,
    freshest: tuple[CrlPoint, ...],
) -> Iterable[Extension]:
    key_id = issuer.subject_key_id or issuer.public_key.key_id
    yield Extension(oids.AUTHORITY_KEY_ID, False, der.sequence(der.implicit(0, der.octets(key_id))))
    yield Extension(oids.CRL_NUMBER, False, der.integer(number))
    if delta_base is not None:
        yield Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(delta_base))
    if scope:
        yield Extension(oids.ISSUING_DISTRIBUTION_POINT, True, scope.der)
    if freshest:
        yield Extension(oids.FRESHEST_CRL, False, write_points(freshest, "freshest"))


#: extensions of a list that are processed here; another critical one makes the list unreadable (RFC 5280 5.2)
_KNOWN = {
    oids.AUTHORITY_KEY_ID,
    oids.CRL_NUMBER,
    oids.DELTA_CRL_INDICATOR,
    oids.FRESHEST_CRL,
    oids.ISSUING_DISTRIBUTION_POINT,
}


def entries_of(encoded: bytes) -> bytes:
    """The encoded entries of a list one after another, unread; raises MalformedStatus."""
    try:
        # version, algorithm, issuer, this and next update come before them, the extensions after
        fields = der.elements(der.elements(encoded)[0])
        return der.content(fields[5]) if fields[5][0] == der.SEQUENCE else b""
    except (Malformed, IndexError) as error:
        raise MalformedStatus(kind="CRL", reason=str(error)) from error


def read_entries(encoded: bytes) -> list[tuple[int, Revoked]]:
    """What entries as `build_crl` writes them say, strictly; raises MalformedStatus."""
    try:
        return [_read_strictly(each) for each in der.elements(der.sequence(encoded))]
    except (Malformed, ValueError, IndexError) as error:
        raise MalformedStatus(kind="CRL", reason=str(error)) from error


def _read_strictly(entry: bytes) -> tuple[int, Revoked]:
    serial, at, *rest = der.elements(entry)
    reason = since = None
    for each in map(Extension.read, der.elements(rest[0]) if rest else ()):
        if each.oid == oids.REASON_CODE:
            reason = Reason.of(der.number(each.value))
        elif each.oid == oids.INVALIDITY_DATE:
            since = der.instant(each.value)
        else:
            raise ValueError(f"an entry has the extension {each.oid}")
    return der.number(serial), Revoked(der.instant(at), reason, since)


class CertificateList:
    """One CRL, read strictly. Immutable; equal when the DER is. Nothing it says counts before `verify`."""

    def __init__(self, encoded: bytes) -> None:
        """Read DER; raises MalformedStatus or UnsupportedAlgorithm."""
        try:
            self._tbs, algorithm, signature = der.elements(encoded)
            version, inner, issuer, *rest = fields = der.elements(self._tbs)
            der.require(version == der.integer(1), "not version 2")
            der.require(inner == algorithm, "the two signature algorithms differ")
            known = read_extensions(rest[-1], 0)
            self._parsed = x509.load_der_x509_crl(encoded)
            self._extensions = self._parsed.extensions
            self._signature = der.octets_of_bits(signature)
            self.issuer = Name(issuer)
            number = self._extension(x509.CRLNumber)
            base = self._extension(x509.DeltaCRLIndicator)
            next_update = self._parsed.next_update_utc
            self.scope = _read(known, oids.ISSUING_DISTRIBUTION_POINT, DistributionPoint.read) or _EVERYTHING
            self._check_entries(b"".join(each for each in fields[5:-1] if each[0] == der.SEQUENCE))
            #: where the deltas to this list are (RFC 5280 5.2.6)
            self.freshest: tuple[CrlPoint, ...] = _read(known, oids.FRESHEST_CRL, read_points) or ()
        except (Malformed, ValueError, TypeError, IndexError, x509.UnsupportedGeneralNameType) as error:
            raise MalformedStatus(kind="CRL", reason=str(error)) from error
        if number is None or next_update is None:
            raise MalformedStatus(kind="CRL", reason="no number or no next update")
        for each in known.values():
            if each.critical and each.oid not in _KNOWN:
                raise MalformedStatus(kind="CRL", reason=f"unknown critical extension {each.oid}")
        self.der = encoded
        self.number: int = number.crl_number
        #: number of the list that this one is a delta to; None for a whole list
        self.delta_base: int | None = base.crl_number if base else None
        self.this_update: datetime = self._parsed.last_update_utc
        self.next_update: datetime = next_update
        self.signature_algorithm = self._read_algorithm(algorithm)

    @staticmethod
    def _read_algorithm(identifier: bytes) -> SignatureAlgorithm:
        return algorithm_of(identifier, "CRL")

    def _check_entries(self, entries: bytes) -> None:
        """An unknown critical extension of one entry spoils the whole list (RFC 5280 5.3)."""
        # TRUE and then the value: serial numbers by the thousand hold three such octets by chance, seldom four
        if der.boolean(True) + bytes((der.OCTET_STRING,)) not in entries:
            return  # nothing is critical: most lists, and a hundred thousand entries are not looked at one by one
        known = {oids.REASON_CODE, oids.INVALIDITY_DATE}
        known |= {oids.CERTIFICATE_ISSUER} if self.scope.indirect else set()
        for entry in self._parsed:
            for each in entry.extensions:
                if each.critical and each.oid.dotted_string not in known:
                    raise ValueError(f"an entry has the unknown critical extension {each.oid.dotted_string}")

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read one CRL in DER or PEM; raises MalformedStatus."""
        if not pem.is_pem(data):
            return cls(data)
        try:
            (block,) = pem.decode("X509 CRL", data)
        except ValueError as error:
            raise MalformedStatus(kind="CRL", reason="not one PEM block") from error
        return cls(block)

    def _extension(self, kind: type[_Value]) -> _Value | None:
        try:
            return self._extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    @cached_property
    def authority_key_id(self) -> bytes | None:
        """Key identifier of the issuer."""
        value = self._extension(x509.AuthorityKeyIdentifier)
        return value.key_identifier if value else None

    @property
    def entries(self) -> bytes:
        """The encoded entries one after another, for `build_crl` to begin the next list with."""
        return entries_of(self.der)

    @property
    def serials(self) -> frozenset[int]:
        """The serial numbers it lists."""
        return frozenset(each.serial_number for each in self._parsed)

    @property
    def pem(self) -> str:
        """RFC 7468 text."""
        return pem.encode("X509 CRL", self.der)

    def __len__(self) -> int:
        return len(self._parsed)

    def verify(self, issuer: Certificate) -> None:
        """Verify that `issuer` signed this list and may; raises WrongIssuer, UsageNotAllowed or BadSignature."""
        expected = self.authority_key_id
        if not self.issuer.matches(issuer.subject) or expected not in (
            None,
            issuer.subject_key_id or expected,
        ):
            raise WrongIssuer(subject=f"CRL {self.number}", issuer=issuer.subject.text)
        if issuer.key_usage is not None and "cRLSign" not in issuer.key_usage:
            allowed = ", ".join(sorted(issuer.key_usage))
            raise UsageNotAllowed(subject=issuer.subject.text, usage="cRLSign", allowed=allowed)
        issuer.public_key.verify(self._signature, self._tbs, self.signature_algorithm, what="CRL")

    def lookup(self, serial: int, issuer: Name | None = None) -> Revoked | None:
        """What the list says of a serial number of `issuer`, its own unless given; None when it is not on it.

        Only an indirect list speaks of other issuers. Raises MalformedStatus.
        """
        try:
            if self.scope.indirect:
                return self._of_many.get(((issuer or self.issuer).folded, serial))
            if issuer is not None and not issuer.matches(self.issuer):
                return None
            found = self._parsed.get_revoked_certificate_by_serial_number(serial)
            return _read_entry(found) if found else None
        except (Malformed, ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
            raise MalformedStatus(kind="CRL", reason=str(error)) from error

    @cached_property
    def _of_many(self) -> Mapping[tuple[Folded, int], Revoked]:
        """The entries of an indirect list; each is the last named issuer's (RFC 5280 5.3.3)."""
        found: dict[tuple[Folded, int], Revoked] = {}
        issuers: tuple[Folded, ...] = (self.issuer.folded,)
        for entry in self._parsed:
            issuers = _entry_issuers(entry) or issuers
            what = _read_entry(entry)
            found |= {(issuer, entry.serial_number): what for issuer in issuers}
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CertificateList) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<CertificateList {self.issuer.text} number {self.number}>"


def _entry_issuers(entry: x509.RevokedCertificate) -> tuple[Folded, ...]:
    try:
        given = entry.extensions.get_extension_for_class(x509.CertificateIssuer).value
    except x509.ExtensionNotFound:
        return ()
    names = given.get_values_for_type(x509.DirectoryName)
    if not names:
        raise ValueError("an entry's issuer has no distinguished name")
    return tuple(Name(each.public_bytes()).folded for each in names)


def _read_entry(found: x509.RevokedCertificate) -> Revoked:
    reason = since = None
    for each in found.extensions:
        if isinstance(each.value, x509.CRLReason):
            reason = Reason(each.value.reason.value)
        elif isinstance(each.value, x509.InvalidityDate):
            since = each.value.invalidity_date_utc
    return Revoked(found.revocation_date_utc, reason, since)


def _read(known: Mapping[str, Extension], oid: str, reader: Callable[[bytes], _Read]) -> _Read | None:
    if oid not in known:
        return None
    der.check(known[oid].value)
    return reader(known[oid].value)


_EVERYTHING = DistributionPoint()
