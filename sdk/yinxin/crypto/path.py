"""Path validation (RFC 5280 section 6): from a certificate to a trusted authority, judged at one moment.

What is judged: signatures, names, validity, authority and path length, usage, critical extensions and revocation.
What is not processed is refused: name constraints and policy constraints make a path invalid here, critical or not.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise

from yinxin.crypto import oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import (
    CertificateRevoked,
    Expired,
    NotAnAuthority,
    NotYetValid,
    PathInvalid,
    PathTooComplex,
    PathTooLong,
    RevocationUnknown,
    RevocationUnusable,
    UnknownIssuer,
    UnsupportedExtension,
    UsageNotAllowed,
)
from yinxin.crypto.status import CertificateList, Good, OcspResponse, Revoked, Status
from yinxin.errors import YinxinError

_DEEPEST = 8  # certificates in a path; the family of government authorities needs five
_MOST_TRIES = 64  # signature checks while building; RFC 5280 gives no bound, an attacker would


class Usage(Enum):
    """What a certificate is shown for: the key usages of which one must be given, and likewise the extended ones.

    Where a certificate has no extended key usage it is not limited (RFC 5280 4.2.1.12), but TIMESTAMP demands it.
    """

    SIGNATURE = (
        frozenset({"digitalSignature", "contentCommitment"}),
        frozenset({"documentSigning", "emailProtection", "clientAuth"}),
    )
    CLIENT = (frozenset({"digitalSignature"}), frozenset({"clientAuth"}))
    SERVER = (frozenset({"digitalSignature", "keyEncipherment", "keyAgreement"}), frozenset({"serverAuth"}))
    TIMESTAMP = (frozenset({"digitalSignature", "contentCommitment"}), frozenset({"timeStamping"}))
    ENCRYPTION = (
        frozenset({"keyEncipherment", "dataEncipherment", "keyAgreement"}),
        frozenset({"emailProtection", "clientAuth", "serverAuth"}),
    )
    AUTHORITY = (frozenset({"keyCertSign"}), frozenset[str]())
    ANY = (frozenset[str](), frozenset[str]())

    @property
    def key_usage(self) -> frozenset[str]:
        """One of these must be in keyUsage, if the certificate has that extension."""
        return self.value[0]

    @property
    def purposes(self) -> frozenset[str]:
        """One of these must be in extendedKeyUsage, if the certificate has that extension."""
        return self.value[1]


@dataclass(frozen=True)
class RevocationEvidence:
    """Statements of authorities about their certificates; each is verified before it counts."""

    ocsp: tuple[OcspResponse, ...] = ()
    crls: tuple[CertificateList, ...] = ()


@dataclass(frozen=True)
class ValidatedPath:
    """The certificates from the leaf up to and including the anchor, and the moment they were judged for."""

    certificates: tuple[Certificate, ...]
    at: datetime
    usage: Usage

    @property
    def leaf(self) -> Certificate:
        """The certificate that was asked about."""
        return self.certificates[0]

    @property
    def anchor(self) -> Certificate:
        """The trusted authority it leads to."""
        return self.certificates[-1]


def validate(
    leaf: Certificate,
    intermediates: Iterable[Certificate],
    anchors: Iterable[Certificate],
    *,
    at: datetime,
    usage: Usage,
    revocation: RevocationEvidence | None = None,
    require_revocation: bool = True,
) -> ValidatedPath:
    """Find a valid path for `usage` at the instant `at`, or raise what is wrong with the best candidate.

    Revocation: a certificate revoked after `at` is fine, one revoked before is CertificateRevoked. A statement counts
    when it was current at `at`, or was made later and before the certificate expired. With `require_revocation` every
    certificate below the anchor needs one (RevocationUnknown); without, only what is given is heard.
    Raises UnknownIssuer, Expired, NotYetValid, UsageNotAllowed, NotAnAuthority, PathTooLong, UnsupportedExtension, BadSignature,
    PathTooComplex.
    """
    search = _Search(tuple(intermediates), frozenset(anchors))
    for chain in search.chains((leaf,)):
        try:
            _check_form(chain, at, usage)
            _check_revocation(chain, at, revocation or RevocationEvidence(), require_revocation)
        except PathInvalid as error:
            search.failures.append(error)
            continue
        return ValidatedPath(chain, at, usage)
    raise search.verdict(leaf)


class _Search:
    """Depth first, every signature checked, never more than `_MOST_TRIES` of them."""

    def __init__(self, intermediates: Sequence[Certificate], anchors: frozenset[Certificate]) -> None:
        self._anchors = anchors
        self._pool = (*anchors, *(each for each in intermediates if each not in anchors))
        self._tries = 0
        self.failures: list[YinxinError] = []

    def chains(self, chain: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        """Every way up from the last certificate of `chain` to an anchor."""
        last = chain[-1]
        if last in self._anchors:
            yield chain
            return
        for candidate in self._pool if len(chain) < _DEEPEST else ():
            if candidate.subject != last.issuer or _seen(candidate, chain):
                continue
            self._tries += 1
            if self._tries > _MOST_TRIES:
                raise PathTooComplex(subject=chain[0].subject.text, limit=_MOST_TRIES)
            try:
                last.issued_by(candidate)
            except YinxinError as error:
                self.failures.append(error)
                continue
            yield from self.chains((*chain, candidate))

    def verdict(self, leaf: Certificate) -> YinxinError:
        """The most telling of the failures."""
        if self.failures:
            return self.failures[0]
        return UnknownIssuer(subject=leaf.subject.text, issuer=leaf.issuer.text)


def _seen(candidate: Certificate, chain: Sequence[Certificate]) -> bool:
    return any(
        each.subject == candidate.subject and each.public_key == candidate.public_key for each in chain
    )


# --- form ------------------------------------------------------------------------------------------------------

#: extensions whose meaning is honoured here or by the caller that chose the usage
_PROCESSED = {
    oids.AUTHORITY_KEY_ID,
    oids.SUBJECT_KEY_ID,
    oids.KEY_USAGE,
    oids.BASIC_CONSTRAINTS,
    oids.EXTENDED_KEY_USAGE,
    oids.SUBJECT_ALTERNATIVE_NAME,
    oids.CERTIFICATE_POLICIES,
    oids.CRL_DISTRIBUTION_POINTS,
}
#: these would narrow the path; ignoring one would widen it
_REFUSED = {oids.NAME_CONSTRAINTS, oids.POLICY_CONSTRAINTS, oids.INHIBIT_ANY_POLICY}


def _check_form(chain: Sequence[Certificate], at: datetime, usage: Usage) -> None:
    for certificate in chain:
        _check_validity(certificate, at)
        _check_extensions(certificate)
    _check_usage(chain[0], usage)
    below = 0  # certificates between the authority and the leaf that are not self-issued
    for authority in chain[1:]:
        _check_authority(authority, usage, below)
        below += not authority.is_self_issued


def _check_validity(certificate: Certificate, at: datetime) -> None:
    name = certificate.subject.text
    if at < certificate.not_before:
        raise NotYetValid(subject=name, not_before=certificate.not_before, at=at)
    if at.replace(microsecond=0) > certificate.not_after:
        raise Expired(subject=name, not_after=certificate.not_after, at=at)


def _check_extensions(certificate: Certificate) -> None:
    for oid, extension in certificate.extensions.items():
        if oid in _REFUSED or (extension.critical and oid not in _PROCESSED):
            raise UnsupportedExtension(subject=certificate.subject.text, oid=oid)


def _check_usage(leaf: Certificate, usage: Usage) -> None:
    given = leaf.key_usage
    if usage.key_usage and given is not None and not usage.key_usage & given:
        raise _not_allowed(leaf, usage, given)
    if usage is Usage.AUTHORITY and not leaf.is_ca:
        raise NotAnAuthority(subject=leaf.subject.text)
    purposes = leaf.extended_key_usage
    if usage is Usage.TIMESTAMP:  # RFC 3161 2.3: this purpose alone, and critical
        extension = leaf.extensions.get(oids.EXTENDED_KEY_USAGE)
        if purposes != frozenset({"timeStamping"}) or extension is None or not extension.critical:
            raise _not_allowed(leaf, usage, purposes or frozenset())
    _check_purposes(leaf, usage)


def _check_purposes(certificate: Certificate, usage: Usage) -> None:
    purposes = certificate.extended_key_usage
    if purposes is not None and usage.purposes and not (usage.purposes | {"anyExtendedKeyUsage"}) & purposes:
        raise _not_allowed(certificate, usage, purposes)


def _check_authority(authority: Certificate, usage: Usage, below: int) -> None:
    name = authority.subject.text
    if not authority.is_ca or (authority.key_usage is not None and "keyCertSign" not in authority.key_usage):
        raise NotAnAuthority(subject=name)
    if authority.path_length is not None and below > authority.path_length:
        raise PathTooLong(subject=name, limit=authority.path_length)
    _check_purposes(authority, usage)


def _not_allowed(certificate: Certificate, usage: Usage, allowed: Iterable[str]) -> UsageNotAllowed:
    text = ", ".join(sorted(allowed)) or "-"
    return UsageNotAllowed(subject=certificate.subject.text, usage=usage.name.lower(), allowed=text)


# --- revocation ------------------------------------------------------------------------------------------------


def _check_revocation(
    chain: Sequence[Certificate],
    at: datetime,
    evidence: RevocationEvidence,
    required: bool,  # noqa: FBT001 - private
) -> None:
    for certificate, issuer in pairwise(chain):
        unusable: list[YinxinError] = []
        known = False
        for status, this_update, next_update in _statements(certificate, issuer, evidence, unusable):
            if isinstance(status, Revoked) and status.effective <= at:
                reason = status.reason.value if status.reason else "-"
                name = certificate.subject.text
                raise CertificateRevoked(subject=name, revoked_at=status.effective, reason=reason, at=at)
            known = known or _speaks_for(at, this_update, next_update, certificate)
        if known or not required:
            continue
        if unusable:
            raise RevocationUnusable(subject=certificate.subject.text, at=at, reason=unusable[0])
        raise RevocationUnknown(subject=certificate.subject.text, at=at)


def _speaks_for(
    at: datetime, this_update: datetime, next_update: datetime | None, certificate: Certificate
) -> bool:
    """Current at `at`, or later but before the certificate expired: after that a list may leave it out."""
    if this_update > at:
        return this_update <= certificate.not_after
    return next_update is not None and at <= next_update


def _statements(
    certificate: Certificate, issuer: Certificate, evidence: RevocationEvidence, unusable: list[YinxinError]
) -> Iterator[tuple[Status, datetime, datetime | None]]:
    """What the verified evidence says of `certificate`; why the rest was not heard goes to `unusable`."""
    for response in evidence.ocsp:
        if not any(
            each.id.serial == certificate.serial and each.id.is_from(issuer) for each in response.answers
        ):
            continue
        try:
            answer = response.status_of(certificate, issuer)
        except YinxinError as error:
            unusable.append(error)
            continue
        if answer and isinstance(answer.status, Good | Revoked):
            yield answer.status, answer.this_update, answer.next_update
    for crl in evidence.crls:
        if crl.issuer != issuer.subject or crl.delta_base is not None or not crl.scope.covers(certificate):
            continue
        try:
            crl.verify(issuer)
            listed = crl.lookup(certificate.serial)
        except YinxinError as error:
            unusable.append(error)
            continue
        yield listed or Good(), crl.this_update, crl.next_update
