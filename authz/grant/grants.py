"""Giving, revoking and listing grants. Each is one recorded act; what is in force is looked up at every decision."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory import look
from authz.directory.look import path
from authz.errors import UnknownOrgan
from authz.grant.errors import (
    BadGrantPeriod,
    GrantOver,
    GrantWithoutSource,
    OwnGrant,
    UnknownGrant,
    UnknownTemplate,
)
from authz.grant.look import in_force
from authz.grant.models import GrantRow
from authz.grant.records import Grant, Wanted, holder
from authz.models import OrganClosure
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import rfc3339
from yinxin.store import Store

if TYPE_CHECKING:
    from authz.decide import Decisions

REVOKE = "authz.revoke-grant"
READ = "authz.read-grants"
#: the longest text of a source
_SOURCE = 400


class Grants:
    """The grants of this site."""

    def __init__(self, store: Store, decisions: "Decisions", longest: timedelta) -> None:
        self._store = store
        self._decisions = decisions
        self._longest = longest

    def sound(self, wanted: Wanted) -> None:
        """Whether the grant could be given: template, holder, organ, period, source.

        Raises UnknownTemplate, BadHolder, BadGrantPeriod, GrantWithoutSource, UnknownOrgan, UnknownPerson, UnknownPost.
        """
        with self._store.read() as session:
            self._sound(session, wanted)

    def give(self, session: Session, actor: Actor, wanted: Wanted, *, proposal: str | None = None) -> Grant:
        """Write the grant within the caller's recorded transaction; that several agreed is the proposal's to see to.

        Raises what `sound` raises, and OwnGrant.
        """
        self._sound(session, wanted)
        self._not_own(session, actor, wanted)
        row = GrantRow(
            id=self._store.identifier(),
            template=wanted.template,
            holder=wanted.holder,
            organ=wanted.organ,
            valid_from=wanted.valid_from,
            valid_to=wanted.valid_to,
            source=wanted.source,
            granted_by=actor.id,
            granted_at=self._store.clock.now(),
            proposal=proposal,
        )
        session.add(row)
        session.flush()
        return Grant.of(row)

    def revoke(self, actor: Actor, grant: str, reason: str) -> Grant:
        """End a grant now; one officer is enough, for it only takes away. Raises UnknownGrant, Denied, GrantOver."""
        found = self.grant_for(actor, grant)
        decision = self._decisions.require(actor, REVOKE, _resource(grant, found.organ))
        now = self._store.clock.now()
        with self._store.act(actor, REVOKE, f"grant:{grant}") as act:
            act.decision = decision.record()
            ended = (
                sa.update(GrantRow)
                .where(GrantRow.id == grant, GrantRow.revoked_at.is_(None), GrantRow.valid_to > now)
                .values(revoked_at=now, revoked_by=actor.id, revoked_because=reason[:_SOURCE])
                .returning(GrantRow.id)
            )
            if act.session.scalar(ended) is None:
                raise GrantOver(grant=grant, at=rfc3339(found.revoked_at or found.valid_to))
            act.session.expire_all()
            return Grant.of(act.session.get_one(GrantRow, grant))

    def grant_for(self, actor: Actor, grant: str) -> Grant:
        """One grant; one that the actor may not see is as unknown as one that is not there (UnknownGrant)."""
        with self._store.read() as session:
            row = session.get(GrantRow, grant)
            found = Grant.of(row) if row is not None else None
        if found is None or not self._decisions.check(actor, READ, _resource(grant, found.organ)).allowed:
            raise UnknownGrant(grant=grant)
        return found

    def listed_for(
        self,
        actor: Actor,
        *,
        under: str,
        holding: str | None = None,
        template: str | None = None,
        at: datetime | None = None,
        after: str = "",
        limit: int = 50,
    ) -> tuple[Grant, ...]:
        """A page of grants over `under` and the organs below it, by identifier; with `at` those in force then.

        Raises Denied (recorded), UnknownOrgan.
        """
        self._decisions.require(actor, READ, _resource("*", under))
        query = sa.select(GrantRow).where(GrantRow.id > after).order_by(GrantRow.id).limit(limit)
        below = sa.select(OrganClosure.organ).where(OrganClosure.ancestor == under)
        query = query.where(GrantRow.organ.in_(below) if under != PLATFORM else GrantRow.organ == PLATFORM)
        if holding is not None:
            query = query.where(GrantRow.holder == holding)
        if template is not None:
            query = query.where(GrantRow.template == template)
        if at is not None:
            query = query.where(in_force(at))
        with self._store.read() as session:
            return tuple(Grant.of(row) for row in session.scalars(query))

    def _sound(self, session: Session, wanted: Wanted) -> None:
        templates = self._decisions.policies.templates
        if wanted.template not in templates:
            raise UnknownTemplate(template=wanted.template[:100], known=", ".join(sorted(templates)) or "-")
        kind, identifier = holder(wanted.holder)
        {"Person": look.person, "Post": look.post, "Organ": look.organ}[kind](session, identifier)
        if wanted.organ != PLATFORM and not path(session, wanted.organ):
            raise UnknownOrgan(organ=wanted.organ)
        now = self._store.clock.now()
        lasts = wanted.valid_to - wanted.valid_from
        if not timedelta(0) < lasts <= self._longest or wanted.valid_to <= now:
            raise BadGrantPeriod(
                valid_from=rfc3339(wanted.valid_from),
                valid_to=rfc3339(wanted.valid_to),
                days=self._longest.days,
            )
        if not 0 < len(wanted.source.strip()) <= _SOURCE:
            raise GrantWithoutSource

    def _not_own(self, session: Session, actor: Actor, wanted: Wanted) -> None:
        own = {f"person:{actor.id}", f"post:{actor.post}"}
        if actor.organ is not None:
            own |= {f"organ:{each}" for each in path(session, actor.organ)}
        if wanted.holder in own:
            raise OwnGrant(person=actor.id)


def _resource(id_: str, organ: str) -> Resource:
    return Resource("Grant", id_, organ)
