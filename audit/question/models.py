"""Saved questions."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class QuestionRow(Base):
    """What an auditor asks again and again. `days`: of the last so many days, counted when it is asked."""

    __tablename__ = "audit_question"
    __table_args__ = (sa.UniqueConstraint("owner", "name"),)

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    owner: Mapped[str] = mapped_column(sa.String(80))
    shared: Mapped[bool] = mapped_column(index=True)
    filters: Mapped[dict[str, Any]]
    days: Mapped[int | None]
    created: Mapped[datetime]
    #: the tenant among whose auditors it is kept; null: among the host's
    tenant: Mapped[str | None] = mapped_column(sa.String(64))
