"""Approving: a statement over the proposal's digest, signed by the approver on her own side.

`statement` gives the bytes to sign; `approve` takes her own signature, `submit` a file that somebody signed elsewhere.
"""

from datetime import datetime
from typing import Any

from authz.proposal.concerned import apart_from_concerned
from authz.proposal.context import Context, closed, state_of, subject
from authz.proposal.errors import NotTheSigner
from authz.proposal.judge import VERB, Approval, judge, read, statement_of
from authz.proposal.models import PENDING, ApprovalRow, ProposalRow, State
from authz.proposal.move import move, pending
from authz.proposal.several import apart_from_proposer, approvals_of, distinct, enough
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.crypto import cms
from yinxin.steps import step
from yinxin.text import Text

SUBMIT = "authz.submit-approval"
_ACT = Text("批准", "approved")


def statement(ctx: Context, actor: Actor, id_: str) -> bytes:
    """What `actor` signs to approve.

    Raises ProposalUnknown, ProposalClosed, Denied, ApproverConcerned, and what the kind's check raises.
    """
    row = ctx.seen(actor, VERB, id_)
    with ctx.store.refusing(actor, VERB, subject(id_)):
        _may(ctx, actor, row)
        apart_from_concerned(ctx, row, actor)
        # what cannot be carried out as things are is not signed for
        ctx.registered(row.kind).check(ctx.content(row))
        return statement_of(ctx, actor, row).encode()


def approve(ctx: Context, actor: Actor, id_: str, signed: bytes, signature: bytes) -> ProposalRow:
    """Take the actor's own approval: the statement, and the detached CMS signature over it.

    Raises ProposalUnknown, ProposalClosed, Denied, NotTheSigner, ApproverConcerned, and what `judge` and `distinct` raise.
    """
    row = ctx.seen(actor, VERB, id_)
    with ctx.store.refusing(actor, VERB, subject(id_)):
        decision = _may(ctx, actor, row)
        approval = judge(ctx, row, signed, signature)
        if (approval.person, approval.post) != (actor.id, actor.post) or (
            actor.certificate not in (None, approval.certificate)
        ):
            raise NotTheSigner(person=actor.id)
        return _take(ctx, (actor, VERB, decision), row, (approval, signed, signature))


def submit(ctx: Context, actor: Actor, id_: str, signature: bytes) -> ProposalRow:
    """Take an approval that somebody signed elsewhere, statement inside; the submitter is recorded, the signer counts.

    Raises as `approve`.
    """
    row = ctx.seen(actor, SUBMIT, id_)
    with ctx.store.refusing(actor, SUBMIT, subject(id_)):
        decision = ctx.decider.require(actor, SUBMIT, ctx.resource(row))
        _pending(ctx, row)
        signed, _ = read(None, signature)
        approval = judge(ctx, row, signed, signature)
        return _take(ctx, (actor, SUBMIT, decision), row, (approval, signed, signature))


def _may(ctx: Context, actor: Actor, row: ProposalRow) -> Decision:
    decision = ctx.decider.require(actor, VERB, ctx.resource(row))
    _pending(ctx, row)
    return decision


def _pending(ctx: Context, row: ProposalRow) -> None:
    now = ctx.store.clock.now()
    if state_of(row, now) not in PENDING:
        raise closed(row, now, _ACT)


def _take(
    ctx: Context, acting: tuple[Actor, str, Decision], row: ProposalRow, given: tuple[Approval, bytes, bytes]
) -> ProposalRow:
    (actor, verb, decision), (approval, signed, signature) = acting, given
    apart_from_concerned(ctx, row, approval.actor)
    apart_from_proposer(ctx, row, approval)
    step("authz.approve.1-judged")
    # 2. when it was seen, on a timestamp authority's word, where the site has one
    signature = _stamped(ctx, actor, signed, signature)
    approval = judge(ctx, row, signed, signature)
    step("authz.approve.2-stamped")
    # 3. kept and recorded, once; the one that makes them enough moves the proposal on
    now = ctx.store.clock.now()
    facts: dict[str, Any] = {"approver": approval.fields(), "digest": row.digest}
    with ctx.store.act(actor, verb, subject(row.id), **facts) as act:
        act.decision = decision.record()
        current = pending(act.session, row, now, _ACT)
        before = approvals_of(act.session, row.id)
        distinct(act.session, approval, before)
        act.session.add(_row(row, approval, signed, signature, now))
        act.session.flush()
        after = approvals_of(act.session, row.id)
        act.facts["given"] = len(after)
        if current.state == State.OPEN and enough(ctx, row, after):
            move(act.session, current, State.APPROVED, now, _ACT, moved_by=approval.person)
            act.facts["state"] = State.APPROVED.value
    step("authz.approve.3-recorded")
    return ctx.find(row.id)


def _stamped(ctx: Context, actor: Actor, signed: bytes, signature: bytes) -> bytes:
    """The signature with a token of our timestamp authority in it, if it has none yet and the site has an authority."""
    _, by = read(signed, signature)
    if by.timestamp_token is not None or not ctx.timestamps:
        return signature
    value, suite = cms.signature_value(signature), by.certificate.public_key.suite.name
    token = ctx.timestamps[0].stamp(value, suite, actor)
    return signature if token is None else cms.with_timestamp(signature, token)


def _row(row: ProposalRow, approval: Approval, signed: bytes, signature: bytes, now: datetime) -> ApprovalRow:
    return ApprovalRow(
        proposal=row.id,
        person=approval.person,
        post=approval.post,
        organ=approval.organ,
        certificate=approval.certificate,
        at=approval.at,
        stamped=approval.stamped,
        received=now,
        statement=signed,
        signature=signature,
    )
