"""What is a tenant's own stays as it is while files and tables are entered for the installation as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from authz.directory.errors import TenantBoundary
from authz.models import AppointmentRow, OrganRow, PersonRow, PostRole, PostRow

#: what a row belongs to and says; the tenant stands first
_Said = frozenset[tuple[object, ...]]


@contextmanager
def tenants_apart(session: Session) -> Iterator[None]:
    """Raise TenantBoundary unless what is entered inside leaves alone whatever is of a tenant: organs, posts, who holds them, and these people."""
    if session.scalar(sa.select(sa.exists().where(OrganRow.tenant.is_not(None)))) is not True:
        yield
        return
    before = _said(session)
    yield
    session.flush()
    for tenant, subject, *_ in sorted(_said(session) ^ before, key=str):
        raise TenantBoundary(organ=str(subject), other=str(tenant))
    above = aliased(OrganRow)
    stray = (
        sa.select(OrganRow.id, above.tenant)
        .join(above, above.id == OrganRow.parent)
        .where(OrganRow.tenant.is_(None), above.tenant.is_not(None))
    )
    for organ, tenant in session.execute(stray.limit(1)):
        raise TenantBoundary(organ=organ, other=tenant)


def _said(session: Session) -> _Said:
    """Everything on record of tenants."""
    own = OrganRow.tenant.is_not(None)
    organs = sa.select(
        OrganRow.tenant,
        *(OrganRow.id, OrganRow.parent, OrganRow.name_zh, OrganRow.name_en, OrganRow.short_name),
        *(OrganRow.level, OrganRow.division, OrganRow.uscc, OrganRow.line, OrganRow.status),
    ).where(own)
    posts = (
        sa.select(OrganRow.tenant, PostRow.id, PostRow.name_zh, PostRow.name_en, PostRow.ended, PostRole.role)
        .join(OrganRow, OrganRow.id == PostRow.organ)
        .outerjoin(PostRole, PostRole.post == PostRow.id)
        .where(own)
    )
    held = (
        sa.select(
            OrganRow.tenant,
            *(AppointmentRow.person, AppointmentRow.post, AppointmentRow.valid_from, AppointmentRow.valid_to),
            *(AppointmentRow.kind, PersonRow.name, PersonRow.clearance),
        )
        .join(PostRow, PostRow.id == AppointmentRow.post)
        .join(OrganRow, OrganRow.id == PostRow.organ)
        .join(PersonRow, PersonRow.id == AppointmentRow.person)
        .where(own)
    )
    return frozenset(tuple(row) for query in (organs, posts, held) for row in session.execute(query))
