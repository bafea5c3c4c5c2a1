"""The register of recoveries: every one that was asked for, on what it rests, who approved it, and what became of it.

It is what the proposals say, whose documents are signed for, and what the recoveries gave. A holder sees those of her
own keys; of one by judicial order that she must not know of yet, only from the time on that its proposal names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.tree import reached
from authz.proposal.context import state_of
from authz.proposal.document import Document
from authz.proposal.models import ApprovalRow, ProposalRow
from kms.escrow.grounds import FORMER, KIND, Ground
from kms.escrow.models import RecoveredKeyRow, UserKeyRow
from yinxin.act import Actor
from yinxin.clock import rfc3339
from yinxin.store import Store

KINDS = (*KIND.values(), FORMER)
_JUDICIAL = ("authority", "document", "dated", "scope", "withheld_until", "withheld_basis")


@dataclass(frozen=True, slots=True)
class Entry:
    """One recovery. `facts` are those of its kind; `given` when and by whom the envelope was made."""

    proposal: str
    ground: Ground
    state: str
    key: str
    holder: str | None
    organ: str
    recipient: str | None
    reason: str
    basis: str
    facts: dict[str, str]
    proposer: str
    created: datetime
    approvals: tuple[tuple[str, str], ...]
    given_at: datetime | None
    given_by: str | None

    def fields(self) -> dict[str, Any]:
        """The entry as JSON."""
        return {
            "proposal": self.proposal,
            "ground": self.ground.value,
            "state": self.state,
            "key": self.key,
            "holder": self.holder,
            "organ": self.organ,
            "recipient": self.recipient,
            "reason": self.reason,
            "basis": self.basis,
            "facts": self.facts,
            "proposer": self.proposer,
            "created": rfc3339(self.created),
            "approvals": [{"person": person, "post": post} for person, post in self.approvals],
            "given_at": rfc3339(self.given_at) if self.given_at else None,
            "given_by": self.given_by,
        }


def of_organ(store: Store, actor: Actor, *, after: str = "", limit: int = 50) -> list[Entry]:
    """Those of the actor's organ and below, the newest first; not those of which the actor herself must not know yet."""
    below = reached(actor.organ or "")
    hidden = (
        sa.select(RecoveredKeyRow.proposal)
        .join(UserKeyRow, UserKeyRow.id == RecoveredKeyRow.key)
        .where(UserKeyRow.holder == actor.id, RecoveredKeyRow.withheld_until > store.clock.now())
    )
    chosen = sa.and_(ProposalRow.organ.in_(below), ProposalRow.id.not_in(hidden))
    found = _entries(store, chosen, after, limit)
    return [each for each in found if each.holder != actor.id or not _withheld(each, store.clock.now())]


def of_holder(store: Store, holder: str, *, after: str = "", limit: int = 50) -> list[Entry]:
    """Those of a holder's keys that she may know of, the newest first."""
    given = (
        sa.select(RecoveredKeyRow.proposal)
        .join(UserKeyRow, UserKeyRow.id == RecoveredKeyRow.key)
        .where(
            UserKeyRow.holder == holder,
            sa.or_(
                RecoveredKeyRow.withheld_until.is_(None),
                RecoveredKeyRow.withheld_until <= store.clock.now(),
            ),
        )
    )
    return _entries(store, sa.or_(ProposalRow.holder == holder, ProposalRow.id.in_(given)), after, limit)


def _withheld(entry: Entry, now: datetime) -> bool:
    return entry.facts.get("withheld_until", "") > rfc3339(now)


def _entries(store: Store, chosen: sa.ColumnElement[bool], after: str, limit: int) -> list[Entry]:
    query = sa.select(ProposalRow).where(ProposalRow.kind.in_(KINDS), chosen)
    if after:
        query = query.where(ProposalRow.id < after)
    with store.read() as session:
        rows = session.scalars(query.order_by(ProposalRow.id.desc()).limit(limit)).all()
        return [_entry(session, row, store.clock.now()) for row in rows]


def _entry(session: Session, row: ProposalRow, now: datetime) -> Entry:
    document = Document.of(row)
    content: dict[str, Any] = document.content
    key = session.get(UserKeyRow, content["key"])
    given = session.get(RecoveredKeyRow, row.id)
    approvals: Sequence[ApprovalRow] = session.scalars(
        sa.select(ApprovalRow).where(ApprovalRow.proposal == row.id).order_by(ApprovalRow.received)
    ).all()
    told = {name: str(content[name]) for name in ("post", *_JUDICIAL) if content.get(name)}
    return Entry(
        proposal=row.id,
        ground=_ground(row.kind, content),
        state=state_of(row, now).value,
        key=content["key"],
        holder=key.holder if key else None,
        organ=row.organ,
        recipient=(row.outcome or {}).get("recipient"),
        reason=document.reason,
        basis=document.basis,
        facts=told,
        proposer=row.proposer,
        created=row.created,
        approvals=tuple((each.person, each.post) for each in approvals),
        given_at=given.delivered_at if given else None,
        given_by=given.delivered_by if given else None,
    )


def _ground(kind: str, content: dict[str, Any]) -> Ground:
    for ground, name in KIND.items():
        if name == kind:
            return ground
    return Ground(content.get("ground") or content["basis"])
