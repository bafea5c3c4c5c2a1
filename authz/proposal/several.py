"""Approvals together: different people in different posts, apart from who proposes and who carries out, and enough."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.look import in_force, reach
from authz.models import AppointmentRow, OrganRow, PostRole, PostRow
from authz.proposal.concerned import apart_from_concerned, barred, deciding_in
from authz.proposal.context import Context
from authz.proposal.errors import (
    ApprovalsMissing,
    ApproverInTwoPosts,
    ApproverStandsForAnother,
    ApproverTwice,
    ExecutorApproved,
    PostApprovedTwice,
    ProposerApproves,
)
from authz.proposal.judge import Approval, judge, judge_then
from authz.proposal.models import ApprovalRow, ProposalRow
from yinxin.act import Actor
from yinxin.authz import PLATFORM
from yinxin.errors import Unavailable, YinxinError


@dataclass(frozen=True, slots=True)
class Standing:
    """The approvals that hold now, and why the others do not."""

    holding: tuple[Approval, ...]
    fallen: tuple[YinxinError, ...]


def standing(ctx: Context, row: ProposalRow) -> Standing:
    """Every approval that was given, judged again; raises Unavailable when one of them cannot be judged."""
    with ctx.store.read() as session:
        given = [(each.statement, each.signature) for each in approvals_of(session, row.id)]
    holding: list[Approval] = []
    fallen: list[YinxinError] = []
    for statement, signature in given:
        try:
            approval = judge(ctx, row, statement, signature)
            apart_from_concerned(ctx, row, approval.actor)
            with ctx.store.read() as session:
                distinct(session, approval, holding)
            holding.append(approval)
        except Unavailable:
            raise
        except YinxinError as error:
            fallen.append(error)
    return Standing(tuple(holding), tuple(fallen))


def signed(ctx: Context, row: ProposalRow) -> tuple[Approval, ...]:
    """The approvals on record whose signatures hold, each as of its own time, of different people in different posts.

    What does not hold is left out: nobody who can write to tables can make one. Raises Unavailable when one cannot be judged.
    """
    with ctx.store.read() as session:
        given = [(each.statement, each.signature) for each in approvals_of(session, row.id)]
    found: list[Approval] = []
    for statement, signature in given:
        try:
            approval = judge_then(ctx, row, statement, signature)
            with ctx.store.read() as session:
                distinct(session, approval, found)
        except Unavailable:
            raise
        except YinxinError:
            continue
        found.append(approval)
    return tuple(found)


def approvals_of(session: Session, id_: str) -> Sequence[ApprovalRow]:
    """The approvals of a proposal in the order in which they came."""
    query = sa.select(ApprovalRow).where(ApprovalRow.proposal == id_)
    return session.scalars(query.order_by(ApprovalRow.received, ApprovalRow.person)).all()


def given(ctx: Context, row: ProposalRow) -> list[dict[str, str]]:
    """The approvals on record, not judged again."""
    with ctx.store.read() as session:
        return [
            Approval(each.person, each.post, each.organ, each.certificate, each.at, each.stamped).fields()
            for each in approvals_of(session, row.id)
        ]


def needed(ctx: Context, row: ProposalRow) -> tuple[int, int]:
    """How many must approve and from how many organs: as it was proposed, or more when the terms ask for more by now."""
    known = ctx.kinds.get(row.kind)
    if known is None:
        return row.needed, row.organs
    terms = ctx.terms(known)
    return max(row.needed, terms.approvals), max(row.organs, terms.organs)


def enough(ctx: Context, row: ProposalRow, approvals: Sequence[Approval | ApprovalRow]) -> bool:
    """Whether these are as many as must be."""
    people, organs = needed(ctx, row)
    return len(approvals) >= people and len({each.organ for each in approvals}) >= organs


def require_enough(ctx: Context, row: ProposalRow, found: Standing) -> None:
    """Raise why there are too few: the first one that fell, or ApprovalsMissing."""
    if enough(ctx, row, found.holding):
        return
    if found.fallen:
        raise found.fallen[0]
    people, organs = needed(ctx, row)
    raise ApprovalsMissing(proposal=row.id, needed=people, organs=organs, given=len(found.holding))


def distinct(session: Session, approval: Approval, others: Iterable[Approval | ApprovalRow]) -> None:
    """Raise ApproverTwice, ApproverInTwoPosts, PostApprovedTwice or ApproverStandsForAnother unless it is a new person's.

    Person, post and certificate are new, and nobody approves for another of them or for the same person as another.
    """
    whose = deciding_in(session, approval.person, approval.post, approval.at)
    for other in others:
        if other.person == approval.person and other.post != approval.post:
            raise ApproverInTwoPosts(person=approval.person, posts=f"{other.post}, {approval.post}")
        if other.person == approval.person or other.certificate == approval.certificate:
            raise ApproverTwice(person=approval.person)
        if other.post == approval.post:
            raise PostApprovedTwice(post=approval.post, people=f"{other.person}, {approval.person}")
        if whose & deciding_in(session, other.person, other.post, other.at):
            raise ApproverStandsForAnother(people=f"{other.person}, {approval.person}")


def apart_from_proposer(ctx: Context, row: ProposalRow, approval: Approval) -> None:
    """Who proposed it, and her post, do not approve while enough others could; raises ProposerApproves."""
    if approval.person != row.proposer and approval.post != row.proposer_post:
        return
    others = could_approve(ctx, row, without=row.proposer, without_post=row.proposer_post)
    allowed = row.kind in ctx.kinds and ctx.kinds[row.kind].kind.proposer_approves
    if not allowed or others >= needed(ctx, row)[0]:
        raise ProposerApproves(person=approval.person, others=others)


def apart_from_executor(ctx: Context, row: ProposalRow, actor: Actor, approved: Collection[str]) -> None:
    """Who carries it out did not approve it while enough others could, and is not whom it concerns.

    `approved` are the people who did. Raises ExecutorApproved, ApproverConcerned.
    """
    apart_from_concerned(ctx, row, actor)
    if actor.id not in approved:
        return
    others = could_approve(ctx, row, without=actor.id)
    if others >= needed(ctx, row)[0]:
        raise ExecutorApproved(person=actor.id, others=others)


def could_approve(ctx: Context, row: ProposalRow, *, without: str = "", without_post: str = "") -> int:
    """How many could approve it now beside this person and this post: as many as there are people and posts."""
    pairs = approvers(ctx, row)
    left = {(person, post) for person, post in pairs if person != without and post != (without_post or None)}
    return min(len({person for person, _ in left}), len({post for _, post in left}))


def approvers(ctx: Context, row: ProposalRow) -> tuple[tuple[str, str], ...]:
    """People and posts whose roles approve it, in the organ it concerns and those above; everywhere for the platform's.

    Whom it concerns is not among them. Raises what reading its content raises, and what its kind does.
    """
    known = ctx.kinds.get(row.kind)
    roles = sorted(known.kind.approvers) if known else []
    query = (
        sa.select(AppointmentRow.person, AppointmentRow.post)
        .distinct()
        .join(PostRow, PostRow.id == AppointmentRow.post)
        .join(PostRole, PostRole.post == PostRow.id)
        .where(PostRole.role.in_(roles), in_force(ctx.store.clock.now()))
        .order_by(AppointmentRow.person, AppointmentRow.post)
    )
    found = barred(ctx, row)
    with ctx.store.read() as session:
        if row.organ != PLATFORM:
            query = query.where(PostRow.organ.in_(reach(session, row.organ)))
        else:  # the platform is the host's
            host = sa.select(OrganRow.id).where(OrganRow.tenant.is_(None))
            query = query.where(PostRow.organ.in_(host))
        pairs = [(each.person, each.post) for each in session.execute(query)]
        concerned = found.among(session, {person for person, _ in pairs}, ctx.store.clock.now())
    return tuple(each for each in pairs if each[0] not in concerned and each[1] not in found.posts)
