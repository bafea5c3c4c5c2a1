"""An organ becomes a tenant, and is one no longer.

From the moment it is one nobody's authority reaches from above into it, nor from it into the platform: the tree that decisions
see ends at it (`authz.directory.records.Organ.reach`). The tree itself, by which documents go up and down, stays as it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.active import active
from authz.directory.errors import TenantHasAdministrator
from authz.directory.look import in_force
from authz.directory.tree import reached
from authz.grant.models import GrantRow
from authz.models import AppointmentRow, OrganRow, PostRole, PostRow
from authz.tenant.errors import AlreadyTenant, NoTenant, TenantUnmanned
from authz.tenant.models import TenantRow
from authz.tenant.records import Mark
from yinxin.quota import Measure

#: law 3 within the tenant: two who approve; law 4: somebody who audits
_OFFICERS, _AUDITORS = 2, 1
_CHUNK = 1000
NO_LIMIT: Mapping[Measure, int] = {}
#: why a grant is revoked, as it is kept with it
_BECAUSE = "该机关成为租户 / the organ became a tenant"


@dataclass(frozen=True, slots=True)
class Decided:
    """What a tenant rests on: the proposal, who carried it out, and when."""

    proposal: str
    by: str
    at: datetime


def admit(
    session: Session, organ: str, mark: Mark, decided: Decided, most: Mapping[Measure, int] = NO_LIMIT
) -> tuple[int, int]:
    """Make an organ, with those below it that are of no other tenant, a tenant; how many organs it has, and grants that ended.

    What was granted over these organs was granted by officers above, who would reach into it so: it is revoked. `most` is what it
    may have at most. Raises UnknownOrgan, OrganEnded, AlreadyTenant, TenantUnmanned, TenantHasAdministrator.
    """
    now = decided.at
    row = active(session, organ)
    able(session, row, now)
    before, part = row.tenant, list(session.scalars(reached(organ)))
    _belong(session, part, before, organ)
    made = TenantRow(organ=organ, since=now, mark=mark, proposal=decided.proposal)
    made.limit(most)
    session.add(made)
    granted = session.scalars(
        sa.select(GrantRow)
        .where(GrantRow.organ.in_(reached(organ)), GrantRow.revoked_at.is_(None), GrantRow.valid_to > now)
        .with_for_update()
    ).all()
    for grant in granted:
        grant.revoked_at, grant.revoked_by, grant.revoked_because = now, decided.by, _BECAUSE
    session.flush()
    return len(part), len(granted)


def end(session: Session, organ: str, proposal: str, now: datetime) -> int:
    """Give a tenant's organs back to whom they lay in before, by the tree; how many. Raises NoTenant."""
    row = standing(session, organ, lock=True)
    own = session.get_one(OrganRow, organ)
    above = session.get(OrganRow, own.parent) if own.parent is not None else None
    part = list(session.scalars(reached(organ)))
    _belong(session, part, organ, None if above is None else above.tenant)
    row.ended, row.ended_by = now, proposal
    session.flush()
    return len(part)


def standing(session: Session, organ: str, *, lock: bool = False) -> TenantRow:
    """The row of an organ that is a tenant now; raises NoTenant."""
    query = sa.select(TenantRow).where(TenantRow.organ == organ, TenantRow.ended.is_(None))
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NoTenant(organ=organ[:64])
    return row


def able(session: Session, row: OrganRow, now: datetime) -> None:
    """Raise AlreadyTenant, TenantUnmanned or TenantHasAdministrator unless the organ can be a tenant as it is."""
    if row.tenant == row.id:
        raise AlreadyTenant(organ=row.id)
    without_administrator(session, reached(row.id))
    held = (
        sa.select(sa.func.count(AppointmentRow.person.distinct()))
        .join(PostRole, PostRole.post == AppointmentRow.post)
        .join(PostRow, PostRow.id == AppointmentRow.post)
        .where(PostRow.organ == row.id, in_force(now))
    )
    officers = session.scalar(held.where(PostRole.role == "security-officer")) or 0
    auditors = session.scalar(held.where(PostRole.role == "auditor")) or 0
    if officers < _OFFICERS or auditors < _AUDITORS:
        raise TenantUnmanned(organ=row.id, officers=officers, auditors=auditors)


def without_administrator(session: Session, organs: sa.Select[str]) -> None:
    """Raise TenantHasAdministrator for the first post of these organs that has the system administrator's role."""
    query = (
        sa.select(PostRow.id)
        .join(PostRole, PostRole.post == PostRow.id)
        .where(PostRow.organ.in_(organs), PostRow.ended.is_(None), PostRole.role == "administrator")
        .order_by(PostRow.id)
    )
    if (post := session.scalars(query).first()) is not None:
        raise TenantHasAdministrator(post=post)


def _belong(session: Session, organs: Iterable[str], before: str | None, now: str | None) -> None:
    """Write with each organ whose it is."""
    whole = sorted(organs)
    for begin in range(0, len(whole), _CHUNK):
        some = OrganRow.id.in_(whole[begin : begin + _CHUNK])
        session.execute(
            sa.update(OrganRow)
            .where(some, OrganRow.tenant.is_not_distinct_from(before))
            .values(tenant=now)
            .execution_options(synchronize_session="fetch")
        )
    session.flush()
