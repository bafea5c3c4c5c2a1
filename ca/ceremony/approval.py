"""Approvals: nobody is enough alone for a ceremony (law 3).

An approval is a statement about the plan's digest, signed with the approver's own certificate, in a file beside the
plan. It is believed when the ceremony is held, not when it is given: by then the certificate may be revoked, the post
lost, the plan altered. The general mechanism of proposals will take this over; the statement stays.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from authz.models import AppointmentRow, CertificateBinding, PostRole
from ca.ceremony.errors import (
    ApprovalExpired,
    ApprovalForAnother,
    ApprovalForAnotherSite,
    ApproverInTwoPosts,
    ApproverNotPermitted,
    ApproverRevoked,
    ApproverTwice,
    ConductorApproves,
    FileMissing,
    ForeignApprover,
    PostApprovedTwice,
)
from ca.ceremony.kinds import Plan
from ca.check import Checker
from ca.context import Context
from yinxin.act import Actor, Kind
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.clock import rfc3339
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import BadSignature, PathInvalid, RevocationUnknown, UnknownIssuer
from yinxin.crypto.keys import Identity
from yinxin.statement import Statement
from yinxin.text import Text

VERB = "ca.approve-ceremony"
#: the role that approves: whoever answers for the authority's security; administrators run it, auditors look on
ROLE = "security-officer"
#: a statement may be this much ahead of our clock
_AHEAD = timedelta(minutes=5)
_LARGEST = 1 << 20


@dataclass(frozen=True)
class Approval:
    """Who approved, as it is recorded."""

    person: str
    post: str
    organ: str
    #: SHA-256 fingerprint
    certificate: str
    at: datetime

    def fields(self) -> dict[str, str]:
        """For the record."""
        return {
            "person": self.person,
            "post": self.post,
            "organ": self.organ,
            "certificate": self.certificate,
            "at": rfc3339(self.at),
        }


def resource_of(plan: Plan) -> Resource:
    """A ceremony as policies see it."""
    return Resource("Ceremony", plan.digest, organ=PLATFORM, attributes={"kind": plan.kind})


def approve(ctx: Context, decider: Decider, actor: Actor, identity: Identity, plan: Plan) -> bytes:
    """The approval of `actor`, who holds `identity`: an attached CMS signature over the statement. Recorded.

    Raises Denied.
    """
    decision = decider.require(actor, VERB, resource_of(plan))
    at = ctx.store.clock.now()
    content = {"plan": plan.digest, "kind": plan.kind, "site": ctx.settings.public_url}
    statement = Statement.of(actor, VERB, _subject(plan), at, content)
    signed = cms.sign_attached(identity, statement.encode(), signed_at=at)
    with ctx.store.act(actor, VERB, _subject(plan), kind=plan.kind) as act:
        act.decision = decision.record()
    return signed


def files_of(plan: Path) -> list[Path]:
    """The approvals that lie beside a plan."""
    return sorted(plan.parent.glob(f"{plan.name}.*.p7s"))


def file_of(plan: Path, person: str) -> Path:
    """Where the approval of a person lies."""
    return plan.with_name(f"{plan.name}.{person}.p7s")


def believed(
    ctx: Context, decider: Decider, conductor: Actor, plan: Plan, files: Sequence[Path]
) -> list[Approval]:
    """The approvals in these files, each held against certificate, post, time and plan, and all against each other.

    Whether they are enough, `conduct` counts. Raises the leaves of `ca.ceremony.errors` from ApproverTwice on,
    MalformedSignature, BadSignature.
    """
    approvals = [_read(ctx, decider, plan, file) for file in files]
    _distinct(approvals)
    _apart(ctx, conductor, approvals, ctx.settings.ceremony.approvals)
    return approvals


def _subject(plan: Plan) -> str:
    return f"ceremony:{plan.digest}"


# --- one approval ----------------------------------------------------------------------------------------------


def _read(ctx: Context, decider: Decider, plan: Plan, file: Path) -> Approval:
    try:
        data = file.read_bytes()[: _LARGEST + 1]
    except OSError as error:
        raise FileMissing(file=str(file), reason=error.strerror or str(error)) from error
    content, signed_by = cms.verify_attached(data)
    statement = Statement.decode(content)
    # 1. it is about this plan, at this site
    approved = str(statement.content.get("plan", "-"))
    if statement.type != VERB or approved != plan.digest or statement.subject != _subject(plan):
        raise ApprovalForAnother(file=file.name, approved=approved[:64], digest=plan.digest)
    site = str(statement.content.get("site", "-"))
    if site != ctx.settings.public_url:
        raise ApprovalForAnotherSite(file=file.name, approved=site[:120], site=ctx.settings.public_url)
    # 2. it is of our time
    now, days = ctx.store.clock.now(), ctx.settings.ceremony.approval_days
    if not now - timedelta(days=days) <= statement.at <= now + _AHEAD:
        raise ApprovalExpired(person=statement.person, at=rfc3339(statement.at), days=days)
    # 3. the certificate is ours, good now, and hers in that post
    _trusted(ctx, signed_by.certificate, statement, file, now)
    # 4. the post may approve now
    approver = Actor(Kind.PERSON, statement.person, statement.post, statement.organ)
    decision = decider.check(approver, VERB, resource_of(plan))
    if not decision.allowed:
        raise ApproverNotPermitted(person=statement.person, post=statement.post, reason=decision.reason)
    return Approval(
        statement.person, statement.post, statement.organ, signed_by.certificate.fingerprint, statement.at
    )


def _trusted(ctx: Context, certificate: Certificate, statement: Statement, file: Path, now: datetime) -> None:
    def foreign(reason: object) -> ForeignApprover:
        return ForeignApprover(file=file.name, person=statement.person, reason=reason)

    try:
        Checker(ctx).check(certificate, (), now)
    except (UnknownIssuer, RevocationUnknown, BadSignature) as error:
        raise foreign(error) from error
    except PathInvalid as error:
        raise ApproverRevoked(person=statement.person, reason=error) from error
    with ctx.store.read() as session:
        bound = session.get(CertificateBinding, certificate.fingerprint)
    if bound is None or (bound.person, bound.post, bound.organ) != (
        statement.person,
        statement.post,
        statement.organ,
    ):
        raise foreign(Text("登记的持有人或岗位不同", "another holder or post is on record"))


# --- all of them together --------------------------------------------------------------------------------------


def _distinct(approvals: Iterable[Approval]) -> None:
    people: dict[str, Approval] = {}
    posts: dict[str, Approval] = {}
    for each in approvals:
        if (before := people.get(each.person)) is not None:
            if before.post == each.post:
                raise ApproverTwice(person=each.person)
            raise ApproverInTwoPosts(person=each.person, posts=f"{before.post}, {each.post}")
        if (other := posts.get(each.post)) is not None:
            raise PostApprovedTwice(post=each.post, people=f"{other.person}, {each.person}")
        people[each.person] = posts[each.post] = each


def _apart(ctx: Context, conductor: Actor, approvals: Iterable[Approval], needed: int) -> None:
    """Whoever holds the ceremony does not approve it, when enough others could; raises ConductorApproves."""
    if conductor.id not in {each.person for each in approvals}:
        return
    now = ctx.store.clock.now()
    in_force = (
        AppointmentRow.valid_from <= now,
        sa.or_(AppointmentRow.valid_to.is_(None), AppointmentRow.valid_to > now),
    )
    others = (
        sa.select(sa.func.count(sa.distinct(AppointmentRow.person)))
        .join(PostRole, PostRole.post == AppointmentRow.post)
        .where(PostRole.role == ROLE, AppointmentRow.person != conductor.id, *in_force)
    )
    with ctx.store.read() as session:
        count = session.scalar(others) or 0
    if count >= needed:
        raise ConductorApproves(person=conductor.id, others=count)
