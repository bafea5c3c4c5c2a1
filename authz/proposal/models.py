"""Tables: proposals, and the signed approvals of them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class State(StrEnum):
    """Where a proposal stands. `OPEN` and `APPROVED` may be refused, withdrawn or expire; `FAILED` may be tried again."""

    OPEN = "open"
    APPROVED = "approved"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAILED = "failed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


#: states in which people may still approve, refuse or withdraw
PENDING = (State.OPEN, State.APPROVED, State.FAILED)


class ProposalRow(Base):
    """A proposal. `document` is what is approved and what is carried out; the columns beside it are for finding it."""

    __tablename__ = "authz_proposal"
    __table_args__ = (sa.Index("ix_authz_proposal_waiting", "state", "expires"),)

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(80), index=True)
    organ: Mapped[str] = mapped_column(sa.String(64), index=True)
    holder: Mapped[str] = mapped_column(sa.String(80))
    #: an organ whose people see it and do not decide it
    informed: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    #: canonical JSON (`authz.proposal.document`), and its SHA-256: what every approval names
    document: Mapped[bytes]
    digest: Mapped[str] = mapped_column(sa.String(64))
    proposer: Mapped[str] = mapped_column(sa.String(80), index=True)
    proposer_post: Mapped[str] = mapped_column(sa.String(80))
    created: Mapped[datetime]
    expires: Mapped[datetime]
    needed: Mapped[int]
    organs: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(12))
    #: executions begun
    attempts: Mapped[int] = mapped_column(default=0)
    begun_by: Mapped[str | None] = mapped_column(sa.String(80))
    begun_at: Mapped[datetime | None]
    #: who brought it into the state it is in, when, and why: the reason of a refusal, the error of a failure
    moved_by: Mapped[str | None] = mapped_column(sa.String(80))
    moved_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(sa.Text, default="")
    #: what carrying it out left
    outcome: Mapped[dict[str, Any] | None]


class ApprovalRow(Base):
    """One person's signed approval; nobody, no post and no certificate approves twice."""

    __tablename__ = "authz_proposal_approval"
    __table_args__ = (sa.UniqueConstraint("proposal", "post"), sa.UniqueConstraint("proposal", "certificate"))

    proposal: Mapped[str] = mapped_column(sa.ForeignKey("authz_proposal.id"), primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    post: Mapped[str] = mapped_column(sa.String(80))
    organ: Mapped[str] = mapped_column(sa.String(64))
    certificate: Mapped[str] = mapped_column(sa.String(64))
    #: when she says she signed; when a timestamp authority saw it, where there is one; when it came here
    at: Mapped[datetime]
    stamped: Mapped[datetime | None]
    received: Mapped[datetime]
    #: the statement, and the CMS signature over it with its timestamp
    statement: Mapped[bytes]
    signature: Mapped[bytes]
