"""Withdrawing: who proposed it takes it back, as long as it is not carried out."""

from authz.proposal.context import Context, subject
from authz.proposal.models import ProposalRow, State
from authz.proposal.move import move, pending
from yinxin.act import Actor
from yinxin.text import Text

VERB = "authz.withdraw-proposal"
_ACT = Text("撤回", "withdrawn")


def withdraw(ctx: Context, actor: Actor, id_: str) -> ProposalRow:
    """End it; raises ProposalUnknown, ProposalClosed, Denied for everybody but its proposer."""
    row = ctx.seen(actor, VERB, id_)
    with ctx.store.refusing(actor, VERB, subject(id_)):
        decision = ctx.decider.require(actor, VERB, ctx.resource(row))
        now = ctx.store.clock.now()
        with ctx.store.act(actor, VERB, subject(row.id), digest=row.digest) as act:
            act.decision = decision.record()
            current = pending(act.session, row, now, _ACT)
            move(act.session, current, State.WITHDRAWN, now, _ACT, moved_by=actor.id)
    return ctx.find(row.id)
