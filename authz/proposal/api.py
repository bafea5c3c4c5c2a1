"""Proposals over HTTP: proposed, looked at, approved by a signature made on the signer's own side, carried out."""

from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from authz.proposal import errors
from authz.proposal.find import Filter, Shown
from authz.proposal.models import State
from authz.service import Authz
from yinxin.authz import Denied
from yinxin.crypto.errors import BadSignature, DigestMismatch, MalformedSignature
from yinxin.proposal import ProposalKind
from yinxin.statement import MalformedStatement
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, Octets, Words, base64_text

_SEEN = (errors.ProposalUnknown, errors.DocumentAltered, Denied)
_SIGNED = (
    *_SEEN,
    errors.ProposalClosed,
    errors.ApprovalForAnother,
    errors.ApprovalForAnotherSite,
    errors.ApprovalOfAnotherTime,
    errors.ForeignApprover,
    errors.ApproverUntrusted,
    errors.ApproverNotPermitted,
    errors.ApproverTwice,
    errors.ApproverInTwoPosts,
    errors.PostApprovedTwice,
    errors.ProposerApproves,
    errors.ApproverConcerned,
    MalformedSignature,
    MalformedStatement,
    BadSignature,
    DigestMismatch,
)
StateName = Literal["open", "approved", "executing", "executed", "failed", "refused", "withdrawn", "expired"]


class Nothing(Model):
    """No further facts."""


class KindOut(Model):
    """A kind of proposal: who proposes, approves and carries it out, and what its content is (JSON Schema)."""

    name: str
    title: Words
    proposers: list[str]
    approvers: list[str]
    executors: list[str]
    reason_required: bool
    basis_required: bool
    content: dict[str, Any]


class KindsOut(Model):
    """The kinds by name."""

    items: list[KindOut]


class ProposalIn(Model):
    """What is proposed, why, and on which legal basis."""

    kind: str = Field(min_length=1, max_length=80)
    content: dict[str, Any]
    reason: str = Field(default="", max_length=4000)
    basis: str = Field(default="", max_length=4000)


class ProposalLine(Model):
    """A proposal in a list."""

    id: str
    kind: str
    title: Words
    state: StateName
    organ: str
    proposer: str
    created: str
    expires: str
    needed: int
    given: int
    digest: str


class ProposerOut(Model):
    """Who proposed it."""

    person: str
    post: str
    organ: str


class ApprovalOut(Model):
    """Who approved it; `stamped` is a timestamp authority's word, `at` the signer's."""

    person: str
    post: str
    organ: str
    certificate: str
    at: str
    stamped: str | None = None


class HolderOut(Model):
    """Somebody who still may approve."""

    person: str
    post: str


class ProposalOut(Model):
    """A proposal with everything about it."""

    id: str
    kind: str
    title: Words
    state: StateName
    organ: str
    digest: str
    """SHA-256 of the document: what every approval names."""
    content: dict[str, Any]
    reason: str
    basis: str
    proposer: ProposerOut
    created: str
    expires: str
    needed: int
    organs: int
    approvals: list[ApprovalOut]
    describes: list[Words]
    """What it would do, in words."""
    trouble: Words | None
    """Why it cannot be told, and so not be done."""
    may_approve: list[HolderOut]
    attempts: int
    moved_by: str | None
    moved_at: str | None
    note: str
    outcome: dict[str, Any] | None


class ProposalQuery(Paged):
    """Which proposals, and which page; the newest come first."""

    kind: str = Field(default="", max_length=80)
    state: StateName | None = None
    organ: str = Field(default="", max_length=64)
    proposer: str = Field(default="", max_length=80)


class StatementOut(Model):
    """What to sign, in base64: a detached CMS signature over exactly these octets."""

    statement: str


class ApprovalIn(Model):
    """The statement that was given, and the signature over it; or a file with the statement inside, signed elsewhere."""

    statement: Annotated[Octets, Field(max_length=100_000)] | None = None
    signature: Annotated[Octets, Field(max_length=1_000_000)]


class RefusalIn(Model):
    """Why it is refused."""

    reason: str = Field(max_length=4000)


def routes(authz: Authz) -> tuple[Blueprint, ...]:
    """The operations on proposals."""
    api = Api("authz_proposals", "/api/authz/v1", Text("提案", "Proposals"))
    _add_questions(api, authz)
    _add_acts(api, authz)
    return (api.blueprint,)


def _add_questions(api: Api, authz: Authz) -> None:
    proposals = authz.proposals

    @api.get("/proposal-kinds", summary=Text("提案的种类", "The kinds of proposals"))
    def kinds(caller: Caller) -> KindsOut:  # noqa: ARG001 - signed in is enough
        return KindsOut(items=[_kind(each) for each in proposals.kinds])

    @api.get("/proposals", summary=Text("提案清单", "The proposals"))
    def search(query: ProposalQuery, caller: Caller) -> Page[ProposalLine]:
        state = State(query.state) if query.state else None
        wanted = Filter(query.kind, state, query.organ, query.proposer)
        after = query.begin(str) or ""
        found = proposals.search(caller.actor, wanted, after=after, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each["id"], show=ProposalLine.model_validate)

    @api.get("/proposals/<proposal>", problems=_SEEN, summary=Text("一件提案", "One proposal"))
    def show(proposal: str, caller: Caller) -> ProposalOut:
        return _out(proposals.show(caller.actor, proposal))

    @api.get(
        "/proposals/<proposal>/statement",
        problems=(*_SEEN, errors.ProposalClosed),
        summary=Text("取得批准时的待签内容", "The statement to sign for an approval"),
    )
    def statement(proposal: str, caller: Caller) -> StatementOut:
        return StatementOut(statement=base64_text(proposals.statement(caller.actor, proposal)))


def _add_acts(api: Api, authz: Authz) -> None:
    proposals = authz.proposals

    @api.post(
        "/proposals",
        status=201,
        problems=(errors.ProposalKindUnknown, errors.BadProposal, errors.ApproverConcerned, Denied),
        summary=Text("提出提案", "Propose"),
        limit=8_388_608,
    )
    def propose(body: ProposalIn, caller: Caller) -> ProposalOut:
        return _out(
            proposals.propose(caller.actor, body.kind, body.content, reason=body.reason, basis=body.basis)
        )

    @api.post(
        "/proposals/<proposal>/approvals",
        status=201,
        problems=(*_SIGNED, errors.NotTheSigner),
        summary=Text("批准提案", "Approve a proposal"),
    )
    def approve(proposal: str, body: ApprovalIn, caller: Caller) -> ProposalOut:
        if body.statement is None:
            return _out(proposals.submit(caller.actor, proposal, body.signature))
        return _out(proposals.approve(caller.actor, proposal, body.statement, body.signature))

    @api.post(
        "/proposals/<proposal>/refusal",
        status=201,
        problems=(*_SEEN, errors.ProposalClosed, errors.BadProposal),
        summary=Text("否决提案", "Refuse a proposal"),
    )
    def refuse(proposal: str, body: RefusalIn, caller: Caller) -> ProposalOut:
        return _out(proposals.refuse(caller.actor, proposal, body.reason))

    @api.post(
        "/proposals/<proposal>/withdrawal",
        status=201,
        problems=(*_SEEN, errors.ProposalClosed),
        summary=Text("撤回提案", "Withdraw a proposal"),
    )
    def withdraw(proposal: str, body: Nothing, caller: Caller) -> ProposalOut:  # noqa: ARG001 - the contract
        return _out(proposals.withdraw(caller.actor, proposal))

    @api.post(
        "/proposals/<proposal>/execution",
        status=201,
        problems=(
            *_SIGNED,
            errors.ApprovalsMissing,
            errors.ExecutorApproved,
            errors.ExecutionUnderWay,
            errors.Interrupted,
        ),
        summary=Text("执行提案", "Carry out a proposal"),
    )
    def execute(proposal: str, body: Nothing, caller: Caller) -> ProposalOut:  # noqa: ARG001 - the contract
        return _out(proposals.execute(caller.actor, proposal))


def _kind(kind: ProposalKind[Any, Any]) -> KindOut:
    return KindOut(
        name=kind.name,
        title=Words.of(kind.title),
        proposers=sorted(kind.proposers),
        approvers=sorted(kind.approvers),
        executors=sorted(kind.executors),
        reason_required=kind.reason_required,
        basis_required=kind.basis_required,
        content=kind.content.model_json_schema(),
    )


def _out(shown: Shown) -> ProposalOut:
    return ProposalOut.model_validate(shown.fields())
