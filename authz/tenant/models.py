"""The table of tenants."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.quota import Measure
from yinxin.store import LONG, Base


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
    #: what it may have at most, by `yinxin.quota.Measure`; null is no limit
    most_people: Mapped[int | None]
    most_documents: Mapped[int | None]
    most_octets: Mapped[int | None] = mapped_column(LONG)

    @property
    def most(self) -> Mapping[Measure, int]:
        """What was agreed; without those that have no limit."""
        found = {
            Measure.PEOPLE: self.most_people,
            Measure.DOCUMENTS: self.most_documents,
            Measure.OCTETS: self.most_octets,
        }
        return {measure: most for measure, most in found.items() if most is not None}

    def limit(self, most: Mapping[Measure, int]) -> None:
        """Put what was agreed in the place of what was before."""
        self.most_people = most.get(Measure.PEOPLE)
        self.most_documents = most.get(Measure.DOCUMENTS)
        self.most_octets = most.get(Measure.OCTETS)
