"""Carrying out: what was approved, and once.

The approvals are judged again, the content is read from the document whose digest they name, and the proposal is moved
on by compare and swap. A kind with `within` does it in that very transaction. One with `execute` is claimed first and
done afterwards under a lock that dies with its process, so that whoever is next knows whether anybody is still at it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from authz.proposal.context import Context, Registered, closed, state_of, subject
from authz.proposal.document import digest_of
from authz.proposal.errors import ExecutionUnderWay, Interrupted
from authz.proposal.models import ProposalRow, State
from authz.proposal.move import move
from authz.proposal.several import apart_from_executor, given, require_enough, standing
from yinxin import canonical
from yinxin.act import Actor, Outcome
from yinxin.errors import InternalError, YinxinError
from yinxin.proposal import Approved
from yinxin.steps import step
from yinxin.store import alone, request_scope
from yinxin.text import Text

VERB = "authz.execute"
_ACT = Text("执行", "carried out")
#: what a record keeps of an execution's outcome, in octets; the whole stands with the proposal
_RECORDED = 16_384


def execute(ctx: Context, actor: Actor, id_: str) -> ProposalRow:
    """Carry an approved proposal out, or go on with one that was cut off.

    Raises ProposalUnknown, ProposalClosed, ApprovalsMissing, ExecutorApproved, ApproverConcerned, ExecutionUnderWay,
    DocumentAltered, Denied, why an approval has fallen, and what the kind's own function raises: the proposal has then failed.
    """
    row = ctx.seen(actor, VERB, id_)
    with ctx.store.refusing(actor, VERB, subject(id_)):
        registered = ctx.registered(row.kind)
        if registered.kind.within is not None:
            _within(ctx, actor, row, registered)
        else:
            with alone(ctx.store.engine, f"{VERB}.{row.kind}") as only:
                if not only:
                    raise ExecutionUnderWay(kind=row.kind)
                # whoever held the lock before may have been carrying out this very one
                _apart(ctx, actor, ctx.find(id_), registered)
    return ctx.find(row.id)


def _permitted(
    ctx: Context, actor: Actor, row: ProposalRow
) -> tuple[Mapping[str, Any], list[dict[str, str]]]:
    """The record of the permission, and the approvals that hold; raises when it may not be begun."""
    now = ctx.store.clock.now()
    if state_of(row, now) is State.OPEN:
        require_enough(ctx, row, standing(ctx, row))
    if state_of(row, now) not in (State.APPROVED, State.FAILED):
        raise closed(row, now, _ACT)
    found = standing(ctx, row)
    require_enough(ctx, row, found)
    decision = ctx.decider.require(actor, VERB, ctx.resource(row, given=len(found.holding)))
    apart_from_executor(ctx, row, actor, {each.person for each in found.holding})
    return decision.record(), [each.fields() for each in found.holding]


# --- in one transaction ----------------------------------------------------------------------------------------


def _within(ctx: Context, actor: Actor, row: ProposalRow, registered: Registered) -> None:
    decision, approvals = _permitted(ctx, actor, row)
    approved, now = ctx.approved(row, actor, approvals), ctx.store.clock.now()
    failure: list[YinxinError] = []
    try:
        with ctx.store.act(actor, VERB, subject(row.id), **_facts(row, approvals)) as act:
            act.decision = dict(decision)
            # 1. claimed
            move(act.session, row, State.EXECUTED, now, _ACT, **_begun(actor, row, now))
            step("authz.execute.1-claimed")
            # 2. carried out
            with _noting(failure):
                outcome = _done_within(registered, approved, act.session)
            act.session.get_one(ProposalRow, row.id, populate_existing=True).outcome = outcome
            act.facts |= _told(outcome)
            step("authz.execute.2-carried-out")
    except YinxinError as error:
        if failure:
            _fail(ctx, actor, row, error, attempts=row.attempts + 1)
        raise
    # 3. recorded with all that it changed
    step("authz.execute.3-recorded")


def _done_within(registered: Registered, approved: Approved[Any], session: Session) -> dict[str, Any]:
    within = registered.kind.within
    return _plain(within(registered.service, approved, session)) if within else {}


@contextmanager
def _noting(failure: list[YinxinError]) -> Iterator[None]:
    """Tell a failure of the act itself from one of the proposal around it."""
    try:
        yield
    except YinxinError as error:
        failure.append(error)
        raise


# --- with acts of its own --------------------------------------------------------------------------------------


def _apart(ctx: Context, actor: Actor, row: ProposalRow, registered: Registered) -> None:
    # 1. claimed, on the record, before anything is done
    approvals = _claim(ctx, actor, row, registered)
    claimed = ctx.find(row.id)
    step("authz.execute.1-claimed")
    # 2. carried out; all that it records belongs to this proposal
    approved = ctx.approved(claimed, actor, approvals)
    try:
        with request_scope(subject(row.id)):
            outcome = _done_apart(registered, approved)
    except YinxinError as error:
        _fail(ctx, actor, claimed, error)
        raise
    except Exception:
        _fail(ctx, actor, claimed, InternalError(request=subject(row.id)))
        raise
    step("authz.execute.2-carried-out")
    # 3. recorded
    now = ctx.store.clock.now()
    with ctx.store.act(actor, VERB, subject(row.id), **_facts(row, approvals)) as act:
        move(act.session, claimed, State.EXECUTED, now, _ACT, moved_by=actor.id, outcome=outcome)
        act.facts |= _told(outcome)
    step("authz.execute.3-recorded")


def _done_apart(registered: Registered, approved: Approved[Any]) -> dict[str, Any]:
    execute = registered.kind.execute
    return _plain(execute(registered.service, approved)) if execute else {}


def _claim(
    ctx: Context, actor: Actor, row: ProposalRow, registered: Registered
) -> Sequence[Mapping[str, str]]:
    """Take it for this process. What a process that died has left is gone on with, if the act can be repeated.

    It was begun with enough approvals, which are on record: they are not asked for again. Whether this actor may go on with
    it is, as at the beginning.
    """
    now, left = ctx.store.clock.now(), row.state == State.EXECUTING
    decision: Mapping[str, Any] = {}
    approvals: list[dict[str, str]] = []
    if left:
        approvals = given(ctx, row)
        decision = ctx.decider.require(actor, VERB, ctx.resource(row, given=len(approvals))).record()
        apart_from_executor(ctx, row, actor, {each["person"] for each in approvals})
        if not registered.kind.repeatable:
            _fail(ctx, actor, row, Interrupted(proposal=row.id))
    if row.state in (State.EXECUTING, State.FAILED) and not registered.kind.repeatable:
        raise closed(ctx.find(row.id), now, _ACT)
    if not left:
        decision, approvals = _permitted(ctx, actor, row)
    with ctx.store.act(actor, VERB, subject(row.id), outcome=Outcome.INTENT, **_facts(row, approvals)) as act:
        act.decision = dict(decision)
        act.facts |= {"resumed": True} if left else {}
        move(act.session, row, State.EXECUTING, now, _ACT, **_begun(actor, row, now))
    return approvals


# --- both ------------------------------------------------------------------------------------------------------


def _fail(
    ctx: Context, actor: Actor, row: ProposalRow, error: YinxinError, *, attempts: int | None = None
) -> None:
    """Leave the reason with the proposal and in the log; `row` is as it was seen or claimed."""
    now = ctx.store.clock.now()
    note = f"{error.text('zh')} / {error.text('en')} [{error.code}]"
    values: dict[str, Any] = {} if attempts is None else {"attempts": attempts}
    with ctx.store.act(
        actor, VERB, subject(row.id), outcome=Outcome.FAILED, digest=row.digest, error=error.code
    ) as act:
        move(act.session, row, State.FAILED, now, _ACT, moved_by=actor.id, note=note, **values)
    error.entry = error.entry or act.id


def _facts(row: ProposalRow, approvals: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {"kind": row.kind, "digest": row.digest, "approvals": [dict(each) for each in approvals]}


def _begun(actor: Actor, row: ProposalRow, now: datetime) -> dict[str, Any]:
    begun = {"begun_by": actor.id, "begun_at": now} if row.begun_at is None else {}
    return {"moved_by": actor.id, "attempts": row.attempts + 1, **begun}


def _plain(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome as it is kept: what has no canonical form is a mistake of the kind's own function."""
    plain: dict[str, Any] = canonical.decode(canonical.encode(dict(outcome)))
    return plain


def _told(outcome: Mapping[str, Any]) -> dict[str, Any]:
    encoded = canonical.encode(dict(outcome))
    return {"outcome": dict(outcome)} if len(encoded) <= _RECORDED else {"outcome_digest": digest_of(encoded)}
