"""What a tenant may have at most, held against what it has in the transaction that would add to it.

The tenant's row is held from then on until that transaction ends, so that of two at the border one waits, and counts what the
other added. Nothing that is there is taken away when a quota becomes smaller than what is used: only more is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from authz.directory.tree import reached
from authz.models import AppointmentRow, OrganRow, PostRow
from authz.tenant.models import TenantRow
from yinxin.quota import Measure, Quota
from yinxin.text import Text

_PLATFORM = Text("平台", "the platform")
#: a person, since when she is in a post, and until when
_Held = tuple[str, datetime, datetime | None]


class TenantQuotas:
    """The quotas of this installation's tenants (`yinxin.quota.Quotas`)."""

    def held(self, session: Session, organ: str, measure: Measure) -> Quota | None:
        """What was agreed with the tenant that the organ is or lies in; None where it is no tenant's, or there is no limit."""
        own, tenant, host = aliased(OrganRow), aliased(OrganRow), aliased(OrganRow)
        most = getattr(TenantRow, f"most_{measure}")
        query = (
            sa.select(tenant.id, tenant.name_zh, tenant.name_en, host.name_zh, host.name_en, most)
            .select_from(own)
            .join(TenantRow, TenantRow.organ == own.tenant)
            .join(tenant, tenant.id == own.tenant)
            .outerjoin(host, host.id == tenant.parent)
            .where(own.id == organ, TenantRow.ended.is_(None), most.is_not(None))
            .with_for_update(of=TenantRow)
        )
        row = session.execute(query).one_or_none()
        if row is None:
            return None
        id_, zh, en, host_zh, host_en, number = row
        told = _PLATFORM if host_zh is None else Text(host_zh, host_en)
        return Quota(measure, number, tuple(session.scalars(reached(id_))), Text(zh, en), told)


@contextmanager
def people_within(session: Session, organ: str, since: datetime) -> Iterator[None]:
    """Raise QuotaExceeded where what is entered inside puts more people in post than were agreed with the organ's tenant, at any time from `since` on."""
    quota = TenantQuotas().held(session, organ, Measure.PEOPLE)
    if quota is None:
        yield
        return
    before = _held(session, quota, since)
    yield
    session.flush()
    after = _held(session, quota, since)
    for at in sorted({since, *(begin for _, begin, _ in after if begin > since)}):
        used = _number(before, at)
        if (more := _number(after, at) - used) > 0:
            quota.demand(used, more)


def _held(session: Session, quota: Quota, since: datetime) -> list[_Held]:
    """Who is in a post of these organs at `since` or will be."""
    query = (
        sa.select(AppointmentRow.person, AppointmentRow.valid_from, AppointmentRow.valid_to)
        .join(PostRow, PostRow.id == AppointmentRow.post)
        .where(
            PostRow.organ.in_(quota.organs),
            sa.or_(AppointmentRow.valid_to.is_(None), AppointmentRow.valid_to > since),
        )
    )
    return [(person, begin, end) for person, begin, end in session.execute(query)]


def _number(held: list[_Held], at: datetime) -> int:
    return len({person for person, begin, end in held if begin <= at and (end is None or end > at)})
