"""Giving, revoking and listing grants. Each is one recorded act; what is in force is looked up at every decision."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory import look
from authz.directory.look import path, reach
from authz.directory.tree import reached
from authz.errors import UnknownOrgan
from authz.grant.errors import (
    BadGrantPeriod,
    BadGrantResource,
    GrantOver,
    GrantWithoutSource,
    OwnGrant,
    UnknownGrant,
    UnknownTemplate,
)
from authz.grant.look import in_force
from authz.grant.models import GrantRow
from authz.grant.records import Grant, Wanted, holder
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import rfc3339
from yinxin.store import Store
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.decide import Decisions

REVOKE = "authz.revoke-grant"
READ = "authz.read-grants"
#: the longest text of a source
_SOURCE = 400
_NOT_BY_ITSELF = Text(
    "该模板不能只授予单个对象，或类型不对", "the template is not granted over a single thing of this type"
)
_NOT_THERE = Text("在授权范围内没有该对象", "there is no such thing in that part of the tree")


class Grants:
    """The grants of this site."""

    def __init__(
        self,
        store: Store,
        decisions: "Decisions",
        longest: timedelta,
        system: Callable[[Session, str], object],
    ) -> None:
        """`system` raises for an identifier that is no system in use."""
        self._store = store
        self._decisions = decisions
        self._longest = longest
        self._system = system
        #: types of which single things are granted → the organ that a thing is of, None where there is no such thing
        self.owners: dict[str, Callable[[Session, str], str | None]] = {}

    def sound(self, wanted: Wanted) -> None:
        """Whether the grant could be given: template, holder, organ, thing, period, source.

        Raises UnknownTemplate, BadHolder, BadGrantResource, BadGrantPeriod, GrantWithoutSource, UnknownOrgan, UnknownPerson,
        UnknownPost, UnknownClient.
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
            resource=wanted.resource,
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
        resource: str | None = None,
        at: datetime | None = None,
        after: str = "",
        limit: int = 50,
    ) -> tuple[Grant, ...]:
        """A page of grants over `under` and the organs below it, by identifier; with `at` those in force then.

        Raises Denied (recorded), UnknownOrgan.
        """
        self._decisions.require(actor, READ, _resource("*", under))
        query = sa.select(GrantRow).where(GrantRow.id > after).order_by(GrantRow.id).limit(limit)
        below = reached(under)
        query = query.where(GrantRow.organ.in_(below) if under != PLATFORM else GrantRow.organ == PLATFORM)
        if holding is not None:
            query = query.where(GrantRow.holder == holding)
        if template is not None:
            query = query.where(GrantRow.template == template)
        if resource is not None:
            query = query.where(GrantRow.resource == resource)
        if at is not None:
            query = query.where(in_force(at))
        with self._store.read() as session:
            return tuple(Grant.of(row) for row in session.scalars(query))

    def bearing_on(
        self, actor: Actor, resource: Resource, *, after: str = "", limit: int = 50
    ) -> tuple[Grant, ...]:
        """Who may use one thing by a grant in force, over it alone or over its organ's part of the tree; by identifier.

        Raises Denied (recorded).
        """
        self._decisions.require(actor, READ, _resource("*", resource.organ))
        policies = self._decisions.policies
        actions = policies.declared["actions"]
        about = [
            each.id
            for each in policies.templates.values()
            if any(resource.type in actions[action]["appliesTo"]["resourceTypes"] for action in each.actions)
        ]
        with self._store.read() as session:
            above = {resource.organ, *path(session, resource.organ)}
            query = (
                sa.select(GrantRow)
                .where(
                    GrantRow.id > after,
                    GrantRow.template.in_(about),
                    GrantRow.organ.in_(above),
                    sa.or_(GrantRow.resource.is_(None), GrantRow.resource == str(resource)),
                    in_force(self._store.clock.now()),
                )
                .order_by(GrantRow.id)
                .limit(limit)
            )
            return tuple(Grant.of(row) for row in session.scalars(query))

    def _sound(self, session: Session, wanted: Wanted) -> None:
        templates = self._decisions.policies.templates
        if wanted.template not in templates:
            raise UnknownTemplate(template=wanted.template[:100], known=", ".join(sorted(templates)) or "-")
        holder(wanted.holder)
        kind, _, identifier = wanted.holder.partition(":")
        known = {"person": look.person, "post": look.post, "organ": look.organ, "client": self._system}
        known[kind](session, identifier)
        if wanted.organ != PLATFORM and not path(session, wanted.organ):
            raise UnknownOrgan(organ=wanted.organ)
        if wanted.resource is not None:
            self._sound_thing(session, wanted, wanted.resource)
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

    def _sound_thing(self, session: Session, wanted: Wanted, resource: str) -> None:
        kind, _, identifier = resource.partition(":")
        policies = self._decisions.policies
        actions = policies.declared["actions"]
        about = {
            each
            for action in policies.templates[wanted.template].actions
            for each in actions[action]["appliesTo"]["resourceTypes"]
        }
        if kind not in self.owners or kind not in about:
            raise BadGrantResource(resource=resource[:120], reason=_NOT_BY_ITSELF)
        owner = self.owners[kind](session, identifier)
        if owner is None or wanted.organ not in ({owner} if owner == PLATFORM else reach(session, owner)):
            raise BadGrantResource(resource=resource[:120], reason=_NOT_THERE)

    def _not_own(self, session: Session, actor: Actor, wanted: Wanted) -> None:
        own = {f"person:{actor.id}", f"post:{actor.post}"}
        if actor.organ is not None:
            own |= {f"organ:{each}" for each in path(session, actor.organ)}
        if wanted.holder in own:
            raise OwnGrant(person=actor.id)


def _resource(id_: str, organ: str) -> Resource:
    return Resource("Grant", id_, organ)
