"""How asking the outside authorities went last."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class OutsideRow(Base):
    """One authority: since when it fails and why, when it is asked again, and when it last gave a token."""

    __tablename__ = "ca_outside"

    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime | None]
    due: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(80))
    good: Mapped[datetime | None]
