"""Proposing: what, why and on which basis, written down once; from here on it is approved or not, never altered."""

from typing import Any

from authz.proposal.concerned import keep_apart, resolved
from authz.proposal.context import Context, Registered, subject
from authz.proposal.document import Document, digest_of
from authz.proposal.errors import BadProposal
from authz.proposal.models import ProposalRow, State
from yinxin import canonical
from yinxin.act import Actor, Kind
from yinxin.authz import Decision
from yinxin.canonical import NotCanonical
from yinxin.steps import step
from yinxin.text import Text

VERB = "authz.propose"
#: what a reason is worth writing down with, in characters
SHORTEST, LONGEST = 8, 2000


def propose(
    ctx: Context, actor: Actor, kind: str, content: Any, *, reason: str = "", basis: str = ""
) -> ProposalRow:
    """A new proposal, recorded; `content` is the kind's model or the JSON of one.

    Raises ProposalKindUnknown, BadProposal, Denied, and what the kind's own check raises; ApproverConcerned when the actor
    alone could carry it out and may not, for it concerns her.
    """
    with ctx.store.refusing(actor, VERB, f"proposal-kind:{kind[:80]}"):
        # 1. it reads well, and the actor may propose it
        registered = ctx.registered(kind)
        document, informed, decision = _written(
            ctx, actor, registered, content, _told(registered, reason, basis)
        )
        encoded = document.encode()
        if len(encoded) > ctx.settings.most_bytes:
            most = ctx.settings.most_bytes
            raise BadProposal(
                field="content", reason=Text(f"不得超过 {most} 字节", f"no more than {most} octets")
            )
        row = _row(document, encoded, informed)
        # 2. recorded with its digest; the words stay out of the log
        with ctx.store.act(actor, VERB, subject(row.id), kind=kind, digest=row.digest) as act:
            act.decision = decision.record()
            act.facts |= {"organ": row.organ, "needed": row.needed}
            act.session.add(row)
            act.session.flush()
            act.session.expunge(row)
    step("authz.propose.2-recorded")
    return row


def _written(
    ctx: Context, actor: Actor, registered: Registered, content: Any, told: tuple[str, str]
) -> tuple[Document, str | None, Decision]:
    """The document, the organ that is told of it, and the permission to propose it."""
    kind = registered.kind
    if actor.kind is not Kind.PERSON or actor.post is None or actor.organ is None:
        raise BadProposal(
            field="proposer",
            reason=Text("提案人须在某机关的岗位上", "whoever proposes is a person in a post of an organ"),
        )
    parsed = registered.parse(content if not isinstance(content, kind.content) else content.model_dump())
    about, terms = registered.about(parsed), ctx.terms(registered)
    id_, now = ctx.store.identifier(), ctx.store.clock.now()
    resource = ctx.resource_of(id_, kind.name, about, actor.id, needed=terms.approvals)
    decision = ctx.decider.require(actor, VERB, resource)
    registered.check(parsed)
    if not kind.executors:  # nobody but the proposer will carry it out
        keep_apart(ctx, resolved(ctx, registered.concerned(parsed), about.holder), id_, actor)
    try:
        plain = canonical.decode(canonical.encode(parsed.model_dump(mode="json")))
    except NotCanonical as error:
        raise BadProposal(field="content", reason=error) from error
    document = Document(
        id=id_,
        kind=kind.name,
        organ=about.organ,
        holder=about.holder,
        content=plain,
        reason=told[0],
        basis=told[1],
        proposer=actor.id,
        post=actor.post,
        proposer_organ=actor.organ,
        created=now,
        expires=now + terms.lasts,
        approvals=terms.approvals,
        organs=terms.organs,
    )
    return document, about.informed, decision


def _told(registered: Registered, reason: str, basis: str) -> tuple[str, str]:
    """Reason and legal basis, as long as they must be; raises BadProposal."""
    kind = registered.kind
    given = {"reason": reason.strip(), "basis": basis.strip()}
    for field, required in (("reason", kind.reason_required), ("basis", kind.basis_required)):
        length = len(given[field])
        if length > LONGEST or (length < SHORTEST and (required or length)):
            said = Text(
                f"须写明，{SHORTEST} 至 {LONGEST} 字", f"say it in {SHORTEST} to {LONGEST} characters"
            )
            raise BadProposal(field=field, reason=said)
    return given["reason"], given["basis"]


def _row(document: Document, encoded: bytes, informed: str | None) -> ProposalRow:
    return ProposalRow(
        id=document.id,
        kind=document.kind,
        organ=document.organ,
        holder=document.holder,
        informed=informed,
        document=encoded,
        digest=digest_of(encoded),
        proposer=document.proposer,
        proposer_post=document.post,
        created=document.created,
        expires=document.expires,
        needed=document.approvals,
        organs=document.organs,
        state=State.OPEN,
        attempts=0,
        note="",
    )
