"""Approving, refusing, withdrawing: each a state change that only one of many can make."""

from ca.context import Context
from ca.registration.change import change
from ca.registration.errors import BadCheck, WrongState
from ca.registration.finish import finish
from ca.registration.models import OPEN, STATES, RegistrationRow, State
from ca.registration.vet import LONGEST
from yinxin.act import Actor
from yinxin.personal import Personal
from yinxin.steps import step

APPROVE = "ca.approve"
REFUSE = "ca.refuse"
WITHDRAW = "ca.withdraw"


def approve(
    ctx: Context, actor: Actor, seen: RegistrationRow, decision: dict[str, object]
) -> RegistrationRow:
    """Approve a vetted application and issue its certificate; for authorised callers, `seen` being what they may approve.

    Raises WrongState; what `ca.issue.issue` raises, after which the application is refused when it can never be
    issued, and otherwise stays approved and is issued by the job.
    """
    # 1. of all who approve at once, one goes on; and who may was asked of who had vetted it, not of somebody to come
    with ctx.store.act(actor, APPROVE, f"registration:{seen.id}") as act:
        act.decision = decision
        row = change(
            act.session,
            ctx.store.clock,
            seen.id,
            (State.VETTED,),
            State.APPROVED,
            decided_by=actor.id,
            decided_at=ctx.store.clock.now(),
        )
        if row.vetted_by != seen.vetted_by:
            needed = STATES[State.VETTED]
            raise WrongState(registration=seen.id, state=STATES[State(seen.state)], needed=needed)
    step("ca.approve.1-approved")
    # 2. the certificate, under the application's identifier
    return finish(ctx, actor, row)


def refuse(ctx: Context, actor: Actor, id_: str, reason: str, decision: dict[str, object]) -> RegistrationRow:
    """Refuse an application for a reason that its applicant will read; raises BadCheck, WrongState."""
    with ctx.store.act(actor, REFUSE, f"registration:{id_}") as act:
        act.decision = decision
        told = reason.strip()
        if not 0 < len(told) <= LONGEST:
            raise BadCheck(field="reason")
        row = change(
            act.session,
            ctx.store.clock,
            id_,
            OPEN,
            State.REFUSED,
            decided_by=actor.id,
            decided_at=ctx.store.clock.now(),
            reason=told,
        )
        act.facts["grounds"] = Personal(told, row.holder if row.holder_kind == "person" else None)
        return row


def withdraw(ctx: Context, actor: Actor, id_: str, decision: dict[str, object]) -> RegistrationRow:
    """Take one's own application back; raises WrongState."""
    with ctx.store.act(actor, WITHDRAW, f"registration:{id_}") as act:
        act.decision = decision
        return change(act.session, ctx.store.clock, id_, OPEN, State.WITHDRAWN)
