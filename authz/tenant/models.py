"""The table of tenants."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class TenantRow(Base):
    """An organ was a tenant from `since` until before `ended`; null: it is one. Rows are never deleted.

    Which organs lie in it stands with them (`authz_organ.tenant`), where every decision reads it.
    """

    __tablename__ = "authz_tenant"

    organ: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    #: the colour by which its people know its pages, of `authz.tenant.records.MARKS`
    mark: Mapped[str] = mapped_column(sa.String(16))
    #: the proposals that made it one and ended it
    proposal: Mapped[str] = mapped_column(sa.String(64))
    ended: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(sa.String(64))
