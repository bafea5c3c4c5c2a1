"""Refusing: one refusal ends it, with a reason."""

from authz.proposal.context import Context, subject
from authz.proposal.errors import BadProposal
from authz.proposal.models import ProposalRow, State
from authz.proposal.move import move, pending
from authz.proposal.propose import LONGEST
from yinxin.act import Actor
from yinxin.text import Text

VERB = "authz.refuse-proposal"
_ACT = Text("否决", "refused")


def refuse(ctx: Context, actor: Actor, id_: str, reason: str) -> ProposalRow:
    """End it; raises ProposalUnknown, ProposalClosed, BadProposal, Denied."""
    row = ctx.seen(actor, VERB, id_)
    with ctx.store.refusing(actor, VERB, subject(id_)):
        decision = ctx.decider.require(actor, VERB, ctx.resource(row))
        if not 1 <= len(reason.strip()) <= LONGEST:
            said = Text(f"须写明否决的理由，至多 {LONGEST} 字", f"say why, in {LONGEST} characters at most")
            raise BadProposal(field="reason", reason=said)
        now = ctx.store.clock.now()
        with ctx.store.act(actor, VERB, subject(row.id), digest=row.digest) as act:
            act.decision = decision.record()
            current = pending(act.session, row, now, _ACT)
            move(act.session, current, State.REFUSED, now, _ACT, moved_by=actor.id, note=reason.strip())
    return ctx.find(row.id)
