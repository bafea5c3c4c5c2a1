"""The table of applications for certificates. A row is never deleted."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base
from yinxin.text import Text


class State(StrEnum):
    """Where an application stands."""

    SUBMITTED = "submitted"
    VETTED = "vetted"
    APPROVED = "approved"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


#: where it stands, in words
STATES: Mapping[State, Text] = {
    State.SUBMITTED: Text("已提交", "submitted"),
    State.VETTED: Text("已核验", "vetted"),
    State.APPROVED: Text("已批准", "approved"),
    State.ISSUED: Text("已签发", "issued"),
    State.REFUSED: Text("已驳回", "refused"),
    State.WITHDRAWN: Text("已撤回", "withdrawn"),
    State.EXPIRED: Text("已过期", "expired"),
}

#: states in which somebody has yet to decide
OPEN = (State.SUBMITTED, State.VETTED)


class RegistrationRow(Base):
    """An application: who asks for which certificate, for whom, and what became of it."""

    __tablename__ = "ca_registration"
    __table_args__ = (
        sa.UniqueConstraint("applicant", "reference"),
        sa.Index("ix_ca_registration_state", "state", "expires"),
    )

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    #: the applicant's own key: asked again with it, the same application comes back
    reference: Mapped[str] = mapped_column(sa.String(100))
    state: Mapped[str] = mapped_column(sa.String(12))
    profile: Mapped[str] = mapped_column(sa.String(60))
    #: PKCS#10, DER
    csr: Mapped[bytes]
    request_digest: Mapped[str] = mapped_column(sa.String(64))
    holder_kind: Mapped[str] = mapped_column(sa.String(12))
    holder: Mapped[str] = mapped_column(sa.String(80), index=True)
    post: Mapped[str | None] = mapped_column(sa.String(80))
    organ: Mapped[str] = mapped_column(sa.String(80), index=True)
    days: Mapped[int | None]
    #: whether a pair is asked for, of which `profile` is the signing half
    pair: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    applicant: Mapped[str] = mapped_column(sa.String(80))
    submitted: Mapped[datetime]
    #: nobody decides on it after that
    expires: Mapped[datetime]
    vetted_by: Mapped[str | None] = mapped_column(sa.String(80))
    vetted_at: Mapped[datetime | None]
    #: what was checked and what was found, a list of `subject` and `finding`
    checks: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)
    decided_by: Mapped[str | None] = mapped_column(sa.String(80))
    decided_at: Mapped[datetime | None]
    #: why it was refused: an officer's words, or the code of the error that stood in the way
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    serial: Mapped[str | None] = mapped_column(sa.ForeignKey("ca_certificate.serial"), unique=True)


class NoticeRow(Base):
    """That a certificate's end was announced, `days` before it."""

    __tablename__ = "ca_notice"

    serial: Mapped[str] = mapped_column(sa.ForeignKey("ca_certificate.serial"), primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    given: Mapped[datetime]
