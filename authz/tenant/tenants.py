"""The tenants of an installation, told to whoever may see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.decide import Decisions
from authz.directory.look import in_force
from authz.directory.look import organ as organ_of
from authz.directory.tree import reached
from authz.models import AppointmentRow, OrganRow, PostRow
from authz.tenant.admit import standing
from authz.tenant.errors import NoTenant
from authz.tenant.figures import Figures, NoFigures
from authz.tenant.models import TenantRow
from authz.tenant.records import Tenant, Use
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import parse_rfc3339
from yinxin.quota import Measure
from yinxin.store import Store

READ = "authz.read-tenants"


class Tenants:
    """Looks tenants up; what makes and ends one several people decide (`proposal`)."""

    def __init__(self, store: Store, decisions: Decisions) -> None:
        self._store = store
        self._decisions = decisions
        #: what floors above count; assembly hands it in
        self.figures: Figures = NoFigures()

    def listed_for(
        self, actor: Actor, *, ended: bool | None = False, after: str = "", limit: int = 50
    ) -> tuple[Tenant, ...]:
        """A page of the tenants from the one after `after` (a `Tenant.place`): those that are, those that were, or with None both.

        The people of a tenant see their own alone. Raises Denied.
        """
        own = self.of(actor.organ)
        self._decisions.require(actor, READ, Resource("Tenant", own or "*", own or PLATFORM))
        row = TenantRow
        query = sa.select(row).where(_beyond(after))
        if ended is not None:
            query = query.where(row.ended.is_not(None) if ended else row.ended.is_(None))
        if own is not None:
            query = query.where(row.organ == own)
        with self._store.read() as session:
            rows = session.scalars(query.order_by(row.organ, row.since).limit(limit)).all()
            session.expunge_all()
        return tuple(self._told(each) for each in rows)

    def shown_for(self, actor: Actor, organ: str) -> Tenant:
        """One tenant; raises Denied, NoTenant."""
        own = self.of(actor.organ)
        if own not in (None, organ):
            raise NoTenant(organ=organ[:64])
        self._decisions.require(actor, READ, Resource("Tenant", organ[:64], own or PLATFORM))
        with self._store.read() as session:
            row = standing(session, organ[:64])
            session.expunge_all()
        return self._told(row)

    def of(self, organ: str | None) -> str | None:
        """The tenant that an organ is or lies in; None for the host's own, and for an unknown one."""
        if organ is None:
            return None
        with self._store.read() as session:
            return session.scalar(sa.select(OrganRow.tenant).where(OrganRow.id == organ))

    def mark(self, organ: str) -> str:
        """The colour of a tenant's pages; empty for an organ that is none."""
        query = sa.select(TenantRow.mark).where(TenantRow.organ == organ, TenantRow.ended.is_(None))
        with self._store.read() as session:
            return session.scalar(query) or ""

    def used(self, organ: str) -> Mapping[Measure, int]:
        """How much of everything that quotas count an organ and those of its own below it have now."""
        with self._store.read() as session:
            part = sorted(session.scalars(reached(organ)))
            people = _people(session, part, self._store.clock.now())
        return _used(people, self.figures.counted(part))

    def quotas(self) -> tuple[tuple[str, Use], ...]:
        """The tenants' quotas, each by its organ, and how much of it is used; for those who look after the installation."""
        limited = sa.or_(*(getattr(TenantRow, f"most_{each}").is_not(None) for each in Measure))
        query = sa.select(TenantRow).where(TenantRow.ended.is_(None), limited).order_by(TenantRow.organ)
        with self._store.read() as session:
            agreed = [(row.organ, row.most) for row in session.scalars(query)]
        return tuple((organ, each) for organ, most in agreed for each in _uses(most, self.used(organ)))

    def _told(self, row: TenantRow) -> Tenant:
        with self._store.read() as session:
            own = organ_of(session, row.organ)
            part = sorted(session.scalars(reached(row.organ))) if row.ended is None else []
            people = _people(session, part, self._store.clock.now())
        counted = self.figures.counted(part)
        return Tenant(
            row.organ,
            own.name,
            own.parent,
            row.mark,
            row.since,
            row.proposal,
            row.ended,
            len(part),
            people,
            counted,
            self.figures.acted(part),
            _uses(row.most, _used(people, counted)) if row.ended is None else (),
        )


def _beyond(place: str) -> sa.ColumnElement[bool]:
    """The condition that a tenancy comes after the one of this place."""
    organ, _, since = place.partition("@")
    if not since:
        return TenantRow.organ > organ
    same = sa.and_(TenantRow.organ == organ, TenantRow.since > parse_rfc3339(since))
    return sa.or_(TenantRow.organ > organ, same)


def _used(people: int, counted: Mapping[str, int]) -> Mapping[Measure, int]:
    return {
        Measure.PEOPLE: people,
        Measure.DOCUMENTS: counted.get("documents_this_year", 0),
        Measure.OCTETS: counted.get("octets", 0),
    }


def _uses(most: Mapping[Measure, int], used: Mapping[Measure, int]) -> tuple[Use, ...]:
    return tuple(Use(measure, used[measure], number) for measure, number in most.items())


def _people(session: Session, organs: Sequence[str], now: datetime) -> int:
    held = (
        sa.select(sa.func.count(AppointmentRow.person.distinct()))
        .join(PostRow, PostRow.id == AppointmentRow.post)
        .where(PostRow.organ.in_(organs), in_force(now))
    )
    return session.scalar(held) or 0
