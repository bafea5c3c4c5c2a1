"""Self-service: whoever holds a certificate in force has its successor, on the word of the old key alone.

The old certificate signs a statement about the new request. Names, holder and profile are those of the old certificate
as the directory has them today; whoever is suspended, revoked or no longer in her post gets nothing.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ca.context import Context
from ca.enrolment.renew import holder_of, renewable, same_alternatives, standing
from ca.errors import AlreadyRevoked
from ca.issue import VERB, Issued, issue
from ca.models import CertificateRow
from ca.profile.versions import made_by
from ca.registration.errors import NotRenewable, TooEarly
from ca.request import Application, Holder, IssueRequest, application_of
from ca.revoke import revoke
from yinxin.act import STRANGER, Actor
from yinxin.clock import rfc3339
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.names import Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.errors import YinxinError
from yinxin.renewal import renewal_statement
from yinxin.steps import step

#: what the reference of a successor begins with
RENEWAL = "renewal"


def renew(ctx: Context, csr: bytes, signature: bytes, *, supersede: bool = False) -> Issued:
    """The successor of the certificate whose key made `signature` (CMS, detached, over `renewal_statement`).

    One successor for each certificate: the same request again gives the same one. With `supersede` and another key the
    old certificate is then revoked as superseded. Raises what is wrong with request or signature; NotRenewable,
    HalfOfPair, ProvedByAcme, TooEarly, RenewalDiffers; CertificateRevoked, CannotBind and what else the old certificate's standing and
    `ca.issue.issue` raise.
    """
    actor = STRANGER
    try:
        # 1. the old key signed for this very request, and its certificate counts now
        asked = application_of(csr, ctx.settings)
        old = cms.verify_detached(
            signature, renewal_statement(CertificationRequest.load(csr).der)
        ).certificate
        row = standing(ctx, old)
        actor = holder_of(row, "renewal")
        # 2. it is time, and nothing else is asked for than what there is
        _renewable(ctx, row)
        request = _request(row, old, asked)
    except YinxinError as error:
        ctx.rejections.record(actor, VERB, "renewal", error)
        raise
    # 3. the successor, under a reference that only this certificate has
    issued = issue(ctx, actor, request, {"renews": row.serial})
    step("ca.renew.3-issued")
    # 4. a key that has been replaced signs no more
    if supersede and issued.certificate.public_key != old.public_key:
        _supersede(ctx, actor, row)
    return issued


def reference_of(serial: str) -> str:
    """The reference of a certificate's successor."""
    return f"{RENEWAL}/{serial}"


def _renewable(ctx: Context, row: CertificateRow) -> None:
    """Raises NotRenewable, HalfOfPair, ProvedByAcme, TooEarly."""
    if row.holder_kind == "organ" or made_by(ctx, row).ca:
        raise NotRenewable(serial=row.serial, profile=row.profile)
    renewable(ctx, row)
    begin = row.not_after - timedelta(days=ctx.settings.registration.renew_days)
    if ctx.store.clock.now() < begin:
        raise TooEarly(serial=row.serial, begin=rfc3339(begin))


def _request(row: CertificateRow, old: Certificate, asked: Application) -> IssueRequest:
    """A person's names come from the directory as it is today, a service's from the old certificate."""
    if asked.san:
        same_alternatives(old, asked)
    subject = Name.of({}) if row.holder_kind == "person" else old.subject
    kind: Any = row.holder_kind
    holder = Holder(kind, row.holder, row.post, row.organ)
    application = replace(asked, subject=subject, san=old.san)
    return IssueRequest(reference_of(row.serial), row.profile, application, holder)


def _supersede(ctx: Context, actor: Actor, row: CertificateRow) -> None:
    try:
        revoke(ctx, actor, row.serial, "superseded", {"renewed": row.serial})
    except AlreadyRevoked:
        return  # by the same request, sent twice
