"""Whether a certificate of ours can be trusted, asked from inside: by sign-in, and before evidence is handed out."""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.context import Context
from ca.errors import UnknownCertificate
from ca.hierarchy.models import TakenCertificate, Use
from ca.models import CertificateRow, HoldRow, State
from ca.status import crl, ocsp
from ca.trust import believed
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import CertificateRevoked, RevocationUnknown
from yinxin.crypto.path import RevocationEvidence, Usage, ValidatedPath, validate
from yinxin.crypto.status import CertId, CertificateList, OcspRequest, OcspResponse, Reason
from yinxin.store import Sql, Within
from yinxin.text import Text


@dataclass(frozen=True)
class Evidence:
    """What a third party needs to see, years later, that a certificate could be trusted: certificates and statements, DER."""

    #: from the issuer of the certificate up to the root
    chain: tuple[Certificate, ...]
    ocsp: tuple[bytes, ...]
    crls: tuple[bytes, ...]


class Checker:
    """The authority as authz sees it (`authz.checker.CertificateChecker`): the tables are the revocation evidence."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def check(self, certificate: Certificate, chain: tuple[Certificate, ...], at: datetime) -> None:  # noqa: ARG002 - the authority knows its own chain
        """Path to one of our roots, validity, usage for signing, and the register, at `at`.

        Raises what `path.validate` raises: UnknownIssuer, BadSignature, Expired, NotYetValid, UsageNotAllowed,
        CertificateRevoked; RevocationUnknown for one that is signed by us and not on record as issued.
        """
        self.standing(certificate, at, Usage.SIGNATURE)

    def standing(self, certificate: Certificate, at: datetime, usage: Usage) -> None:
        """As `check`, for whatever the certificate is to be used for."""
        for each in _path(self._ctx, certificate, at, usage).certificates:
            self._standing(each, at)

    def _standing(self, certificate: Certificate, at: datetime) -> None:
        with self._ctx.store.read() as session:
            row = session.scalars(
                sa.select(CertificateRow).where(CertificateRow.fingerprint == certificate.fingerprint)
            ).one_or_none()
            if row is None and _adopted(session, certificate.fingerprint):
                return
        name = certificate.subject.text
        if row is None or row.state != State.ISSUED:
            raise RevocationUnknown(
                subject=name, at=at, reason=Text("未登记为已签发", "not on record as issued")
            )
        if row.revoked_at is not None and row.revoked_at <= at:
            reason = row.reason or "-"
            raise CertificateRevoked(subject=name, revoked_at=row.revoked_at, reason=reason, at=at)
        not_held(self._ctx, row.serial, name, at)

    def revoked(self, fingerprint: str, within: Within | None = None) -> bool:
        """Whether the certificate of this fingerprint is revoked; raises UnknownCertificate."""
        with nullcontext(within) if within is not None else self._ctx.store.look() as look:
            row = _REVOKED_AT.first(look, {"fingerprint": fingerprint})
        if row is None:
            raise UnknownCertificate(certificate=fingerprint[:80])
        return row.revoked_at is not None


_CERTIFICATE = cast("sa.Table", CertificateRow.__table__).c
_REVOKED_AT = Sql(
    sa.select(_CERTIFICATE.revoked_at).where(_CERTIFICATE.fingerprint == sa.bindparam("fingerprint"))
)


def not_held(ctx: Context, serial: str, name: str, at: datetime) -> None:
    """Raise CertificateRevoked when the certificate was suspended at `at`, however it stands today."""
    held = sa.select(HoldRow.began).where(
        HoldRow.serial == serial, HoldRow.began <= at, sa.or_(HoldRow.ended.is_(None), HoldRow.ended > at)
    )
    with ctx.store.read() as session:
        began = session.scalars(held).first()
    if began is not None:
        raise CertificateRevoked(subject=name, revoked_at=began, reason=Reason.CERTIFICATE_HOLD, at=at)


def evidence(ctx: Context, certificate: Certificate, at: datetime) -> Evidence:
    """Statements that prove the certificate's standing at `at`, made now; `at` is now or earlier.

    For the certificate an OCSP answer, or the list where its issuer has no responder; for the authorities the lists.
    They are validated before they are handed out: raises what `path.validate` raises, so that nobody is given
    evidence that does not hold.
    """
    path = _path(ctx, certificate, at, Usage.ANY)
    lists: list[CertificateList] = []
    answers: list[OcspResponse] = []
    for below, above in zip(path.certificates, path.certificates[1:], strict=False):
        # a status told today says nothing of a hold that is over
        not_held(ctx, f"{below.serial:x}", below.subject.text, at)
        issuer = ctx.issuers.of_key(above.public_key.key_id)
        if issuer is None:
            raise RevocationUnknown(
                subject=below.subject.text, at=at, reason=Text("不是本平台的签发机构", "not our authority")
            )
        if below == certificate and below.ocsp_urls:
            answers.append(
                OcspResponse(ocsp.answer(ctx, OcspRequest.build([CertId.of(below.serial, above)])))
            )
        else:
            lists.append(crl.current(ctx, issuer.name))
    proof = RevocationEvidence(tuple(answers), tuple(lists))
    validate(
        certificate, path.certificates[1:-1], path.certificates[-1:], at=at, usage=Usage.ANY, revocation=proof
    )
    return Evidence(
        path.certificates[1:], tuple(each.der for each in answers), tuple(each.der for each in lists)
    )


def _path(ctx: Context, certificate: Certificate, at: datetime, usage: Usage) -> ValidatedPath:
    """To one of our own roots, or to a certificate that a ceremony adopted from outside: that one was judged then.

    The tables and the folder `trust/` must both have it: whoever writes in the database can enter a root of her own.
    What an outside authority says of it since, no part of this platform hears; its end is a ceremony's too.
    """
    ours = [issuer.certificate for issuer in map(ctx.issuers.get, ctx.issuers.names()) if issuer.certificate]
    with ctx.store.read() as session:
        tops = [each for each in ours if each.is_self_issued or _adopted(session, each.fingerprint)]
    roots = believed(ctx.trust, tops)
    return validate(certificate, ours, roots, at=at, usage=usage, require_revocation=False)


def _adopted(session: Session, fingerprint: str) -> bool:
    """Whether it is an outside authority's certificate for a key of ours, taken in and not ended."""
    query = sa.select(TakenCertificate.use).where(
        TakenCertificate.fingerprint == fingerprint,
        TakenCertificate.use == Use.OWN,
        TakenCertificate.ended_at.is_(None),
    )
    return session.scalars(query).first() is not None
