"""The table of grants."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class GrantRow(Base):
    """A template of the policies opened to a holder (`person:`, `post:`, `organ:`, `client:`) over an organ and those below.

    Where `resource` names one thing (`Type:id`), over that alone, for as long as it is there and of that part of the tree.
    In force from `valid_from` until before `valid_to`, or until `revoked_at`. Rows are never deleted.
    """

    __tablename__ = "authz_grant"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    template: Mapped[str] = mapped_column(sa.String(100))
    holder: Mapped[str] = mapped_column(sa.String(80), index=True)
    organ: Mapped[str] = mapped_column(sa.String(64), index=True)
    resource: Mapped[str | None] = mapped_column(sa.String(120), index=True)
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(sa.String(400))
    granted_by: Mapped[str] = mapped_column(sa.String(64))
    granted_at: Mapped[datetime]
    proposal: Mapped[str | None] = mapped_column(sa.String(64))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(sa.String(64))
    revoked_because: Mapped[str | None] = mapped_column(sa.String(400))
