"""Finding proposals, and telling what a person may know of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from authz.directory.tree import reached
from authz.proposal.context import READ, Context, state_of
from authz.proposal.document import Document
from authz.proposal.errors import DocumentAltered, ProposalUnknown
from authz.proposal.judge import Approval
from authz.proposal.models import PENDING, ProposalRow, State
from authz.proposal.several import approvers, given, needed, signed
from authz.proposal.then import entitled_then
from yinxin.act import Actor
from yinxin.authz import PLATFORM
from yinxin.clock import rfc3339
from yinxin.errors import Unavailable, YinxinError
from yinxin.text import Text

#: rows read at a time while those are passed over that the asker may not see
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; an empty part is anything. `organ` is that very organ, or the platform."""

    kind: str = ""
    state: State | None = None
    organ: str = ""
    proposer: str = ""

    def conditions(self, now: datetime) -> list[sa.ColumnElement[bool]]:
        """As conditions on the table; what is past its time has expired."""
        row = ProposalRow
        pairs = ((row.kind, self.kind), (row.organ, self.organ), (row.proposer, self.proposer))
        found: list[sa.ColumnElement[bool]] = [column == value for column, value in pairs if value]
        if self.state is State.EXPIRED:
            late = sa.and_(row.state.in_(PENDING), row.expires <= now)
            found.append(sa.or_(row.state == State.EXPIRED, late))
        elif self.state is not None:
            found.append(row.state == self.state)
            found += [row.expires > now] if self.state in PENDING else []
        return found


def search(
    ctx: Context, actor: Actor, wanted: Filter, *, after: str = "", limit: int = 50
) -> list[ProposalRow]:
    """The newest first, from the one after `after`, of those that the actor may see."""
    found: list[ProposalRow] = []
    for row in _matching(ctx, actor, wanted, after):
        if len(found) == limit:
            break
        if ctx.decider.check(actor, READ, ctx.resource(row)).allowed:
            found.append(row)
    return found


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """A proposal that was carried out: its document, the digest that was approved, and the approvals whose signatures hold.

    Of these, `signed` are by people who were entitled to approve then; `unentitled` by others, with the reason.
    """

    document: Document
    digest: str
    signed: tuple[Approval, ...]
    unentitled: tuple[tuple[Approval, YinxinError], ...] = ()


def executed(ctx: Context, id_: str) -> CarriedOut | None:
    """A proposal that is on record, whose document fits its digest, and that was carried out; whoever asks.

    Its approvals are verified as of the time when they were given: their signatures, and what the approvers were then. Raises
    Unavailable when one cannot be judged.
    """
    try:
        row = ctx.find(id_)
        document = Document.of(row)
    except (ProposalUnknown, DocumentAltered):
        return None
    if row.state != State.EXECUTED:
        return None
    found: list[Approval] = []
    others: list[tuple[Approval, YinxinError]] = []
    for approval in signed(ctx, row):
        try:
            entitled_then(ctx, row, approval)
            found.append(approval)
        except Unavailable:
            raise
        except YinxinError as error:
            others.append((approval, error))
    return CarriedOut(document, row.digest, tuple(found), tuple(others))


def _matching(ctx: Context, actor: Actor, wanted: Filter, after: str) -> Iterator[ProposalRow]:
    """Those of the actor's organ and below, the platform's, her own, and what her organ is told of; which of them she may see, the policies say."""
    below = reached(actor.organ or "")
    near = sa.or_(
        ProposalRow.organ.in_(below),
        ProposalRow.organ == PLATFORM,
        ProposalRow.proposer == actor.id,
        ProposalRow.holder == actor.id,
        ProposalRow.informed == actor.organ,
    )
    while True:
        query = sa.select(ProposalRow).where(near, *wanted.conditions(ctx.store.clock.now()))
        if after:
            query = query.where(ProposalRow.id < after)
        with ctx.store.read() as session:
            rows = session.scalars(query.order_by(ProposalRow.id.desc()).limit(_CHUNK)).all()
            session.expunge_all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        after = rows[-1].id


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal as it is shown: the document, who approved, what it would do, who still may approve."""

    row: ProposalRow
    state: State
    title: Text
    document: Document
    needed: int
    organs: int
    approvals: tuple[dict[str, str], ...]
    described: tuple[Text, ...]
    #: why it cannot be told, and so not be done
    trouble: YinxinError | None
    #: person and post
    may_approve: tuple[tuple[str, str], ...]

    def fields(self) -> dict[str, Any]:
        """For machines."""
        row, document = self.row, self.document
        return {
            "id": row.id,
            "kind": row.kind,
            "title": {"zh": self.title.zh, "en": self.title.en},
            "state": self.state.value,
            "organ": row.organ,
            "digest": row.digest,
            "content": document.content,
            "reason": document.reason,
            "basis": document.basis,
            "proposer": {"person": row.proposer, "post": row.proposer_post, "organ": document.proposer_organ},
            "created": rfc3339(row.created),
            "expires": rfc3339(row.expires),
            "needed": self.needed,
            "organs": self.organs,
            "approvals": list(self.approvals),
            "describes": [{"zh": each.zh, "en": each.en} for each in self.described],
            "trouble": {"zh": self.trouble.text("zh"), "en": self.trouble.text("en")}
            if self.trouble
            else None,
            "may_approve": [{"person": person, "post": post} for person, post in self.may_approve],
            "attempts": row.attempts,
            "moved_by": row.moved_by,
            "moved_at": rfc3339(row.moved_at) if row.moved_at else None,
            "note": row.note,
            "outcome": row.outcome,
        }


def show(ctx: Context, row: ProposalRow) -> Shown:
    """One proposal with everything about it; whether the asker may see it, `Context.seen` has said."""
    document = Document.of(row)
    state = state_of(row, ctx.store.clock.now())
    approvals = given(ctx, row)
    known = ctx.kinds.get(row.kind)
    described: tuple[Text, ...] = ()
    trouble: YinxinError | None = None
    left: tuple[tuple[str, str], ...] = ()
    if known is not None:
        try:
            described = known.describe(known.parse(document.content))
        except YinxinError as error:
            trouble = error
        try:
            left = _left(ctx, row, approvals) if state in PENDING else ()
        except YinxinError as error:
            trouble = trouble or error
    people, organs = needed(ctx, row)
    return Shown(
        row=row,
        state=state,
        title=known.kind.title if known else Text(row.kind, row.kind),
        document=document,
        needed=people,
        organs=organs,
        approvals=tuple(approvals),
        described=described,
        trouble=trouble,
        may_approve=left,
    )


def _left(ctx: Context, row: ProposalRow, approvals: Sequence[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    people = {each["person"] for each in approvals} | {row.proposer}
    posts = {each["post"] for each in approvals} | {row.proposer_post}
    return tuple(
        (person, post) for person, post in approvers(ctx, row) if person not in people and post not in posts
    )


def line(ctx: Context, row: ProposalRow) -> dict[str, Any]:
    """One proposal in a list."""
    known = ctx.kinds.get(row.kind)
    title = known.kind.title if known else Text(row.kind, row.kind)
    return {
        "id": row.id,
        "kind": row.kind,
        "title": {"zh": title.zh, "en": title.en},
        "state": state_of(row, ctx.store.clock.now()).value,
        "organ": row.organ,
        "proposer": row.proposer,
        "created": rfc3339(row.created),
        "expires": rfc3339(row.expires),
        "needed": needed(ctx, row)[0],
        "given": len(given(ctx, row)),
        "digest": row.digest,
    }
