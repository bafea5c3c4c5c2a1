"""One stored issuance against everything that is known of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from ca.context import Context
from ca.issuer import Addresses, Issuer
from ca.lint import Case, findings
from ca.models import CertificateRow, ProfileRow, State
from ca.profile import Profile
from ca.recheck.judge import certificate_faults
from yinxin.crypto import alternative, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError

#: how a fault begins that only a rule finds which is younger than the certificate: nothing was altered, and it passed what was asked then
LATER = "later rule: "


class Certificates:
    """Checks rows of one batch; what they share is looked up once."""

    def __init__(self, ctx: Context, began: Callable[[int], datetime | None]) -> None:
        """`began` says since when certificates are made here by the linter's rules of an edition; None: not yet."""
        self._ctx = ctx
        self._began = began
        self._profiles: dict[str, Profile | None] = {}

    def faults(self, row: CertificateRow) -> tuple[str, ...]:
        """What is wrong with an issuance, what only a later rule finds last; empty when all is well."""
        if row.state != State.ISSUED:
            return tuple(_unissued(row))
        try:
            certificate = Certificate(row.der or b"")
        except YinxinError as error:
            return (f"der: {error}",)
        found = (
            *_row(row, certificate),
            *self._profile(row),
            *self._signature(row, certificate),
            *self._lint(row, certificate),
            *(f"pkilint: {code}" for code in certificate_faults(certificate.der, certificate.public_key)),
        )
        return tuple(sorted(found, key=lambda each: each.startswith(LATER)))

    def _profile(self, row: CertificateRow) -> Iterator[str]:
        if self._stored(row.profile_hash) is None:
            yield "profile_hash: the version is not stored, or its text is not of this hash"

    def _stored(self, hash_: str) -> Profile | None:
        """The profile's version, if its text has the hash it is stored under."""
        if hash_ not in self._profiles:
            with self._ctx.store.read() as session:
                row = session.get(ProfileRow, hash_)
            genuine = row is not None and INTL.hash.digest(row.data).hex() == hash_
            self._profiles[hash_] = Profile.model_validate_json(row.data) if row and genuine else None
        return self._profiles[hash_]

    def _signature(self, row: CertificateRow, certificate: Certificate) -> Iterator[str]:
        try:
            certificate.issued_by(self._issuer(row).chain[0])
        except YinxinError as error:
            yield f"signature: {error}"

    def _issuer(self, row: CertificateRow) -> Issuer:
        return self._ctx.issuers.get(row.authority)

    def _lint(self, row: CertificateRow, certificate: Certificate) -> Iterator[str]:
        profile = self._stored(row.profile_hash)
        if profile is None:
            return
        try:
            issuer = self._issuer(row)
        except YinxinError:
            return  # told by the signature
        if certificate.is_self_issued:
            issuer = replace(issuer, certificate=None)
        # addresses and the site's prefix are settings; they were those of the day
        where = Addresses(certificate.crl_urls, certificate.ocsp_urls, certificate.ca_issuer_urls)
        node = certificate.serial >> 8 * 16
        if profile.name != row.profile:
            yield f"profile: the version is of {profile.name}"
        case = Case(certificate, issuer, profile, where, node, self._foreign(profile, certificate))
        for finding in findings(case):
            yield f"{LATER if self._is_later(finding.since, row.created) else ''}lint: {finding}"

    def _is_later(self, edition: int, made: datetime) -> bool:
        """Whether a rule came when the certificate was there; the first ones were there before any."""
        began = self._began(edition)
        return edition > 1 and (began is None or made < began)

    def _foreign(self, profile: Profile, certificate: Certificate) -> bytes | None:
        """How an outside authority identifies its key, which need not follow from the key; None for one of ours."""
        ours = not profile.ca or self._ctx.issuers.of_key(certificate.public_key.key_id) is not None
        return None if ours else certificate.subject_key_id


def _unissued(row: CertificateRow) -> Iterator[str]:
    if row.der is not None or row.fingerprint is not None:
        yield f"state: {row.state}, and yet there is a certificate"
    if row.state == State.ABANDONED and row.revoked_at is None:
        yield "state: abandoned without its serial number being revoked"


def _intended(tbs: bytes, certificate: Certificate) -> bool:
    """Whether these octets are what was signed, but for an alternative signature, which is made after the intent."""
    if tbs == certificate.tbs:
        return True
    if oids.ALTERNATIVE_SIGNATURE not in certificate.extensions:
        return False
    try:
        return alternative.without_value(tbs) == alternative.without_value(certificate.tbs)
    except (Malformed, ValueError, IndexError):
        return False


def _row(row: CertificateRow, certificate: Certificate) -> Iterator[str]:
    wanted = {
        "serial": (row.serial, f"{certificate.serial:x}"),
        "fingerprint": (row.fingerprint, certificate.fingerprint),
        "tbs": (_intended(row.tbs, certificate), True),
        "not_before": (row.not_before, certificate.not_before),
        "not_after": (row.not_after, certificate.not_after),
        "subject": (row.subject, certificate.subject.text),
        "spki_digest": (row.spki_digest, INTL.hash.digest(certificate.public_key.spki).hex()),
    }
    for field, (stored, said) in wanted.items():
        if stored != said:
            yield f"{field}: the row differs from the certificate"
    try:
        if not _intended(Certificate(row.lint_certificate).tbs, certificate):
            yield "lint_certificate: other octets than those that were signed"
    except YinxinError as error:
        yield f"lint_certificate: {error}"
