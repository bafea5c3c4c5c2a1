"""A certificate of ours vouches for its own successor: the same names, another key if its holder likes."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ca.check import Checker
from ca.context import Context
from ca.enrolment.credential import BY_CREDENTIAL
from ca.enrolment.errors import HalfOfPair, ProvedByAcme, RenewalDiffers
from ca.enrolment.models import CredentialRow, Protocol
from ca.errors import UnknownCertificate
from ca.issue import Also, Issued, issue
from ca.models import CertificateRow
from ca.pair.models import pair_of
from ca.request import Application, Holder, IssueRequest
from yinxin.act import Actor, Kind
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import UsageNotAllowed
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.path import Usage


def standing(ctx: Context, certificate: Certificate) -> CertificateRow:
    """The record of a certificate that its holder proved to hold, if it counts now.

    Raises UnknownCertificate for another authority's, CertificateRevoked, Expired and what else `Checker.standing` raises.
    """
    with ctx.store.read() as session:
        query = sa.select(CertificateRow).where(CertificateRow.fingerprint == certificate.fingerprint)
        row = session.scalars(query).one_or_none()
    if row is None:
        raise UnknownCertificate(certificate=certificate.fingerprint)
    Checker(ctx).standing(certificate, ctx.store.clock.now(), Usage.ANY)
    return row


def signs(certificate: Certificate) -> None:
    """Its key is there to sign requests with (RFC 8894 2.3, RFC 9483 1.5); raises UsageNotAllowed.

    The key of a pair's encryption certificate is recovered for others than its holder.
    """
    usage = certificate.key_usage
    if usage is not None and "digitalSignature" not in usage:
        allowed = ", ".join(sorted(usage)) or "-"
        raise UsageNotAllowed(subject=certificate.subject.text, usage="digitalSignature", allowed=allowed)


def holder_of(row: CertificateRow, via: str) -> Actor:
    """The certificate's holder as an actor, through a protocol or `renewal`."""
    kind = Kind.PERSON if row.holder_kind == "person" else Kind.SERVICE
    return Actor(kind, row.holder, post=row.post, organ=row.organ, certificate=row.fingerprint, via=via)


def renewable(ctx: Context, row: CertificateRow) -> None:
    """The certificate stands alone, so that its renewal leaves nothing behind, and nobody had to prove its names.

    Raises HalfOfPair, ProvedByAcme: whoever has a host no more would have certificates for it for ever.
    """
    credential = sa.select(CredentialRow.protocol).where(
        CredentialRow.id == row.requested_by.removeprefix(BY_CREDENTIAL)
    )
    with ctx.store.read() as session:
        pair, protocol = pair_of(session, row.serial), session.scalar(credential)
    if pair is not None:
        raise HalfOfPair(serial=row.serial, pair=pair.reference)
    if protocol == Protocol.ACME:
        raise ProvedByAcme(serial=row.serial)


def renew(
    ctx: Context,
    old: Certificate,
    reference: str,
    asked: Application,
    protocol: Protocol,
    *,
    also: Also | None = None,
) -> Issued:
    """The successor of `old`, exactly one for each `reference`; its holder showed the old key.

    Raises RenewalDiffers when another name is asked for, HalfOfPair, ProvedByAcme, what `standing` raises, and what `ca.issue.issue` raises.
    """
    row = standing(ctx, old)
    renewable(ctx, row)
    same_names(old, asked)
    kind: Any = row.holder_kind
    holder = Holder(kind, row.holder, row.post, row.organ)
    decision: Mapping[str, Any] = {"renews": row.serial}
    request = IssueRequest(reference, row.profile, asked, holder)
    return issue(ctx, holder_of(row, protocol), request, decision, also=also)


def same_names(old: Certificate, asked: Application) -> None:
    """The names asked for are the old certificate's, however they are encoded (RFC 7030 4.2.2); raises RenewalDiffers."""
    if asked.subject.pairs != old.subject.pairs:
        raise RenewalDiffers(field="subject", asked=asked.subject.text or "-", old=old.subject.text)
    same_alternatives(old, asked)


def same_alternatives(old: Certificate, asked: Application) -> None:
    """The same of the alternative names alone; raises RenewalDiffers."""
    if _folded(asked.san) != _folded(old.san):
        raise RenewalDiffers(field="subjectAltName", asked=_listed(asked.san), old=_listed(old.san))


def _folded(names: tuple[GeneralName, ...]) -> list[GeneralName]:
    return sorted((kind, text.lower() if kind == "dns" else text) for kind, text in names)


def _listed(names: tuple[GeneralName, ...]) -> str:
    return ", ".join(text for _, text in names) or "-"
