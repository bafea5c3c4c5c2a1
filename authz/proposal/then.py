"""Whether somebody was entitled to approve at a time that is past: the directory as it was then, not as it is."""

import sqlalchemy as sa

from authz.directory.errors import NotThere
from authz.directory.look import in_force
from authz.directory.past import path_at, state_at
from authz.models import AppointmentRow
from authz.proposal.concerned import Barred, deciding_in
from authz.proposal.context import Context
from authz.proposal.errors import ApproverConcerned, ApproverNotPermitted
from authz.proposal.judge import Approval
from authz.proposal.models import ProposalRow
from yinxin.authz import PLATFORM
from yinxin.clock import rfc3339
from yinxin.proposal import Concerned
from yinxin.text import Text


def entitled_then(ctx: Context, row: ProposalRow, approval: Approval) -> None:
    """That her post, when she approved, had a role that approves such proposals, and that it was no affair of hers.

    She held the post, the post belonged to the organ she named, its roles were among those of the kind, and its organ was the
    proposal's or above it; she was not whom the proposal concerns, and stood for nobody who is. The time is that of her
    timestamp, or the one she states where the site has no authority. Which roles approve a kind is asked of the kind as it is
    registered today. Raises ApproverNotPermitted, ApproverConcerned, and what reading the content raises.
    """
    at = approval.stamped or approval.at

    def lacking(zh: str, en: str) -> ApproverNotPermitted:
        said = rfc3339(at)
        return ApproverNotPermitted(
            person=approval.person,
            post=approval.post,
            proposal=row.id,
            reason=Text(f"{said} 时{zh}", f"at {said} {en}"),
        )

    known = ctx.kinds.get(row.kind)
    approvers = known.kind.approvers if known is not None else frozenset()
    concerned = known.concerned(ctx.content(row)) if known is not None else Concerned()
    with ctx.store.read() as session:
        held = sa.select(AppointmentRow.person).where(
            AppointmentRow.person == approval.person, AppointmentRow.post == approval.post, in_force(at)
        )
        if session.scalar(held.limit(1)) is None:
            raise lacking("不任该岗位", "she did not hold that post")
        try:
            post = state_at(session, "post", approval.post, at).state
            above = (approval.organ,) if row.organ == PLATFORM else path_at(session, row.organ, at)
        except NotThere as error:
            raise lacking("岗位或机关尚不存在", "there was no such post or organ") from error
        if post["organ"] != approval.organ:
            raise lacking("该岗位属于别的机关", "that post belonged to another organ")
        if approvers.isdisjoint(post["roles"]):
            raise lacking(
                "该岗位没有批准这类提案的角色", "that post had no role that approves such a proposal"
            )
        if approval.organ not in above:
            raise lacking("该机关不在提案所属机关之上", "that organ was not above the proposal's")
        people = frozenset({*concerned.people, row.holder} - {""})
        barred = Barred(people, concerned.posts, concerned.organs)
        standing_for = deciding_in(session, approval.person, approval.post, at)
        if approval.post in barred.posts or barred.among(session, standing_for, at):
            raise ApproverConcerned(person=approval.person, proposal=row.id)
