"""From a public key to the certificate in force for it, with everything above: what verifiers and applications ask."""

from dataclasses import dataclass

import sqlalchemy as sa

from ca import inventory
from ca.context import Context
from ca.errors import UnknownCertificate
from ca.models import AuthorityRow, CertificateRow, State
from yinxin.crypto.certificates import Certificate

#: people's certificates are not for everybody to collect; they travel with what their holders sign
_OPEN = ("organ", "service")
#: certificates that an authority has beside its own one
_BESIDE = ("link", "cross")


@dataclass(frozen=True, slots=True)
class Found:
    """The certificates from the key's own up to and with the root; `authority` is its name when it is one."""

    certificates: tuple[Certificate, ...]
    authority: str | None


def by_key(ctx: Context, spki_digest: str) -> Found:
    """The newest certificate in force for a key of an organ or service, by the digest of its SubjectPublicKeyInfo.

    Raises UnknownCertificate.
    """
    now = ctx.store.clock.now()
    query = (
        sa.select(CertificateRow.der, CertificateRow.authority, AuthorityRow.name)
        .outerjoin(AuthorityRow, AuthorityRow.serial == CertificateRow.serial)
        .where(
            CertificateRow.spki_digest == spki_digest,
            CertificateRow.state == State.ISSUED,
            CertificateRow.revoked_at.is_(None),
            CertificateRow.not_before <= now,
            CertificateRow.not_after >= now,
            CertificateRow.holder_kind.in_(_OPEN),
            CertificateRow.profile.not_in(_BESIDE),
        )
        .order_by(CertificateRow.not_before.desc())
        .limit(1)
    )
    with ctx.store.read() as session:
        found = session.execute(query).first()
    if found is None or found.der is None:
        raise UnknownCertificate(certificate=spki_digest[:80])
    certificate = Certificate(found.der)
    above = () if certificate.is_self_issued else ctx.issuers.get(found.authority).chain
    return Found((certificate, *above), found.name)


def own(ctx: Context, fingerprint: str) -> tuple[Certificate, ...]:
    """The certificate of this fingerprint, whose holder asks for it, and those above it; raises UnknownCertificate."""
    row = inventory.find(ctx, fingerprint)
    if row.der is None:
        raise UnknownCertificate(certificate=fingerprint[:80])
    return (Certificate(row.der), *ctx.issuers.get(row.authority).chain)
