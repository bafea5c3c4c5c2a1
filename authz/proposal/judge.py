"""One approval, held against the proposal: what was signed, when, by which certificate, of whom, in which post.

It is judged when it is given and once more when the proposal is carried out: by then the certificate may be revoked,
the post lost, the policy changed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authz.models import CertificateBinding
from authz.proposal.context import Context, subject
from authz.proposal.errors import (
    ApprovalForAnother,
    ApprovalForAnotherSite,
    ApprovalOfAnotherTime,
    ApproverNotPermitted,
    ApproverUntrusted,
    ForeignApprover,
)
from authz.proposal.models import ProposalRow
from yinxin.act import Actor, Kind
from yinxin.clock import rfc3339
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.cms import SignedBy
from yinxin.crypto.errors import BadSignature, DigestMismatch, PathInvalid, RevocationUnknown, UnknownIssuer
from yinxin.crypto.signed_data import SignedData
from yinxin.statement import Statement
from yinxin.text import Text

VERB = "authz.approve"
#: a clock may be this much ahead of another
_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved, as it is recorded."""

    person: str
    post: str
    organ: str
    #: SHA-256 fingerprint
    certificate: str
    #: when she says that she signed, and when a timestamp authority had seen it, if one did
    at: datetime
    stamped: datetime | None

    def fields(self) -> dict[str, str]:
        """For records and answers."""
        fields = {
            "person": self.person,
            "post": self.post,
            "organ": self.organ,
            "certificate": self.certificate,
            "at": rfc3339(self.at),
        }
        return fields | ({"stamped": rfc3339(self.stamped)} if self.stamped else {})

    @property
    def actor(self) -> Actor:
        """The approver as an actor."""
        return Actor(Kind.PERSON, self.person, self.post, self.organ, certificate=self.certificate)


def statement_of(ctx: Context, actor: Actor, row: ProposalRow) -> Statement:
    """What `actor` signs to approve; raises MalformedStatement for somebody in no post."""
    return Statement.of(actor, VERB, subject(row.id), ctx.store.clock.now(), _content(ctx, row))


def _content(ctx: Context, row: ProposalRow) -> dict[str, Any]:
    return {"proposal": row.id, "kind": row.kind, "digest": row.digest, "site": ctx.site}


def _due(ctx: Context, row: ProposalRow, declared: Statement) -> bytes:
    """The statement of this proposal for this person in this post, made anew; only the time is as she had it."""
    approver = Actor(Kind.PERSON, declared.person, declared.post, declared.organ)
    return Statement.of(approver, VERB, subject(row.id), declared.at, _content(ctx, row)).encode()


def read(statement: bytes | None, signature: bytes) -> tuple[bytes, SignedBy]:
    """The statement that was signed, apart or inside, and who signed it; raises what verifying a signature raises.

    One that comes beside a signature with another one inside is not what was signed: DigestMismatch.
    """
    if SignedData.load(signature, "approval").content is None:
        return statement or b"", cms.verify_detached(signature, statement or b"")
    content, by = cms.verify_attached(signature)
    if statement is not None and statement != content:
        raise DigestMismatch(what="approval")
    return content, by


def judge(ctx: Context, row: ProposalRow, statement: bytes | None, signature: bytes) -> Approval:
    """The approval, believed now. Raises the leaves of `authz.proposal.errors` from ApprovalForAnother on.

    Raises MalformedSignature, BadSignature, DigestMismatch, MalformedStatement too; Unavailable when something that
    must be asked does not answer.
    """
    content, by = read(statement, signature)
    declared = Statement.decode(content)
    # 1. it is about this proposal as it stands, at this site
    _about_this(ctx, row, declared)
    # 2. it is of the proposal's time
    stamped = _timely(ctx, row, declared, by, signature)
    # 3. the certificate is ours, good now, and hers in that post; and what was signed is what she would be given to sign
    _trusted(ctx, by.certificate, declared)
    if content != _due(ctx, row, declared):
        raise ApprovalForAnother(approved=declared.subject[:160], proposal=row.id, digest=row.digest)
    # 4. the post may approve now
    approver = Actor(Kind.PERSON, declared.person, declared.post, declared.organ)
    decision = ctx.decider.check(approver, VERB, ctx.resource(row))
    if not decision.allowed:
        raise ApproverNotPermitted(
            person=declared.person, post=declared.post, proposal=row.id, reason=decision.reason
        )
    fingerprint = by.certificate.fingerprint
    return Approval(declared.person, declared.post, declared.organ, fingerprint, declared.at, stamped)


def judge_then(ctx: Context, row: ProposalRow, statement: bytes, signature: bytes) -> Approval:
    """An approval on record, as of the time when it was given: what stands in no table alone.

    The signature over the very document, the time that a timestamp proves (or that she states, where the site has no
    authority), the certificate's path to our roots and its standing then, and that it names her. What her post was then
    is asked in `authz.proposal.then`. Raises what `judge` raises.
    """
    content, by = read(statement, signature)
    declared = Statement.decode(content)
    _about_this(ctx, row, declared)
    stamped = _timely(ctx, row, declared, by, signature)
    _good_at(ctx, by.certificate, declared, stamped or declared.at)
    named = by.certificate.subject.get("serialNumber")
    if named != declared.person:
        raise ForeignApprover(person=declared.person, reason=Text("证书属于别人", "another's certificate"))
    if content != _due(ctx, row, declared):
        raise ApprovalForAnother(approved=declared.subject[:160], proposal=row.id, digest=row.digest)
    fingerprint = by.certificate.fingerprint
    return Approval(declared.person, declared.post, declared.organ, fingerprint, declared.at, stamped)


def _about_this(ctx: Context, row: ProposalRow, declared: Statement) -> None:
    due = _content(ctx, row)
    site = str(declared.content.get("site", "-"))
    approved = str(declared.content.get("digest", "-"))
    if declared.type == VERB and site != ctx.site:
        raise ApprovalForAnotherSite(approved=site[:120], site=ctx.site)
    if (declared.type, declared.subject, dict(declared.content)) != (VERB, subject(row.id), due):
        raise ApprovalForAnother(
            approved=f"{declared.subject} {approved}"[:160], proposal=row.id, digest=row.digest
        )


def _timely(
    ctx: Context, row: ProposalRow, declared: Statement, by: SignedBy, signature: bytes
) -> datetime | None:
    """The instant that its timestamp proves, if it has one: not before the proposal, and not before it claims."""
    now = ctx.store.clock.now()
    late = ApprovalOfAnotherTime(
        person=declared.person,
        at=rfc3339(declared.at),
        created=rfc3339(row.created),
        expires=rfc3339(row.expires),
    )
    if not row.created <= declared.at <= min(now + _AHEAD, row.expires):
        raise late
    if by.timestamp_token is None or not ctx.timestamps:
        return None
    stamped = ctx.timestamps[0].verify(by.timestamp_token.der, cms.signature_value(signature))
    if not max(row.created, declared.at) - _AHEAD <= stamped <= min(now + _AHEAD, row.expires + _AHEAD):
        raise late
    return stamped


def _good_at(ctx: Context, certificate: Certificate, declared: Statement, at: datetime) -> None:
    try:
        ctx.checker.check(certificate, (), at)
    except (UnknownIssuer, RevocationUnknown, BadSignature) as error:
        raise ForeignApprover(person=declared.person, reason=error) from error
    except PathInvalid as error:
        raise ApproverUntrusted(person=declared.person, reason=error) from error


def _trusted(ctx: Context, certificate: Certificate, declared: Statement) -> None:
    def foreign(reason: object) -> ForeignApprover:
        return ForeignApprover(person=declared.person, reason=reason)

    _good_at(ctx, certificate, declared, ctx.store.clock.now())
    with ctx.store.read() as session:
        bound = session.get(CertificateBinding, certificate.fingerprint)
    wanted = (declared.person, declared.post, declared.organ)
    if bound is None or bound.ended_at is not None or bound.purpose != "signing":
        raise foreign(Text("该证书未登记给在岗人员签名", "no certificate that somebody in a post signs with"))
    if (bound.person, bound.post, bound.organ) != wanted:
        raise foreign(Text("登记的持有人或岗位不同", "another holder or post is on record"))
