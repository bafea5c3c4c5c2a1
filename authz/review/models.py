"""Tables of the campaigns of review."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class CampaignRow(Base):
    """A review of every appointment at or below an organ, until the deadline; `closed` when it was carried out."""

    __tablename__ = "authz_review"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"), index=True)
    begun: Mapped[datetime]
    deadline: Mapped[datetime] = mapped_column(index=True)
    begun_by: Mapped[str] = mapped_column(sa.String(64))
    closed: Mapped[datetime | None]


class ItemRow(Base):
    """One appointment under review: `outcome` is null while nobody decided, then confirmed, ended or not-confirmed."""

    __tablename__ = "authz_review_item"

    review: Mapped[str] = mapped_column(sa.ForeignKey("authz_review.id"), primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("authz_person.id"), primary_key=True)
    post: Mapped[str] = mapped_column(sa.ForeignKey("authz_post.id"), primary_key=True)
    outcome: Mapped[str | None] = mapped_column(sa.String(16))
    decided_by: Mapped[str | None] = mapped_column(sa.String(64))
    decided_at: Mapped[datetime | None]
