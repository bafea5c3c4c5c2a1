"""Campaigns of review: begun over a part of the tree, decided item by item, carried out at the deadline.

Whoever nobody confirmed by then holds the post no longer: silence does not keep a right alive.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.appointment.end import end_all
from authz.change.asked import post_of
from authz.decide import Decisions
from authz.directory.look import in_force
from authz.directory.tree import reached
from authz.errors import UnknownOrgan
from authz.models import AppointmentRow, OrganRow, PersonRow, PostRow
from authz.review.errors import NothingToReview, ReviewClosed, ReviewTooShort, UnknownReview
from authz.review.models import CampaignRow, ItemRow
from yinxin.act import SYSTEM, Actor
from yinxin.authz import Resource
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.store import Store

_log = logging.getLogger("yinxin.authz")
#: time that reviewers have at least
SHORTEST = timedelta(days=7)
Outcome = Literal["confirmed", "ended"]
READ = "authz.read-reviews"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A review, and how far it is."""

    id: str
    organ: str
    begun: datetime
    deadline: datetime
    begun_by: str
    closed: datetime | None
    items: int
    undecided: int


@dataclass(frozen=True, slots=True)
class Item:
    """An appointment under review."""

    person: str
    post: str
    organ: str
    outcome: str | None
    decided_by: str | None
    decided_at: datetime | None


class Reviews:
    """The reviews of this site."""

    def __init__(self, store: Store, decisions: Decisions) -> None:
        self._store = store
        self._decisions = decisions

    def scope(self, actor: Actor, organ: str, deadline: datetime) -> int:
        """How many appointments a review would have; raises as `begin` does and begins nothing."""
        self._permit_begin(actor, organ, deadline)
        with self._store.read() as session:
            return len(_held_below(session, organ, self._store.clock.now()))

    def begin(self, actor: Actor, organ: str, deadline: datetime) -> Campaign:
        """Put every appointment in force at or below `organ` under review until `deadline`.

        Delegations are not: they end by themselves. Raises Denied, UnknownOrgan, ReviewTooShort, NothingToReview.
        """
        decision, now = self._permit_begin(actor, organ, deadline), self._store.clock.now()
        id_ = self._store.identifier()
        with self._store.act(actor, "authz.begin-review", f"review:{id_}", organ=organ) as act:
            act.decision = decision
            held = _held_below(act.session, organ, now)
            if not held:
                raise NothingToReview(organ=organ)
            row = CampaignRow(id=id_, organ=organ, begun=now, deadline=deadline, begun_by=actor.id)
            act.session.add(row)
            act.session.flush()
            rows = [{"review": id_, "person": person, "post": post} for person, post in held]
            act.session.execute(sa.insert(ItemRow), rows)
            act.facts["items"] = len(rows)
        return self.show(id_)

    def decide(self, actor: Actor, id_: str, person: str, post: str, outcome: Outcome) -> Item:
        """Confirm an appointment, or end it at once; by an officer of the post's organ, never about herself.

        Raises UnknownReview, Denied, ReviewClosed.
        """
        verb = "authz.confirm-appointment" if outcome == "confirmed" else "authz.end-appointment"
        now = self._store.clock.now()
        with self._store.read() as session:
            self._item(session, id_, person, post)
            decision = self._decisions.require(actor, verb, post_of(session, post, person, now))
        with self._store.act(actor, verb, f"appointment:{person}/{post}", review=id_) as act:
            act.decision = decision.record()
            campaign, item = self._item(act.session, id_, person, post, hold=True)
            if campaign.closed is not None or campaign.deadline <= now or item.outcome is not None:
                raise ReviewClosed(review=id_)
            item.outcome, item.decided_by, item.decided_at = outcome, actor.id, now
            if outcome == "ended":
                _end(act.session, item, now, "review")
            act.session.flush()
            organ = act.session.get_one(PostRow, post).organ
            return Item(person, post, organ, outcome, actor.id, now)

    def close_due(self) -> int:
        """End what nobody confirmed in reviews past their deadline, each review by its own act; how many. For the timer."""
        now = self._store.clock.now()
        due = sa.select(CampaignRow.id).where(CampaignRow.closed.is_(None), CampaignRow.deadline <= now)
        with self._store.read() as session:
            found = list(session.scalars(due.order_by(CampaignRow.deadline)))
        done = 0
        for id_ in found:
            try:
                self._close(id_, now)
                done += 1
            except YinxinError as error:
                _log.warning("review %s is not closed: %s", id_, error)
        return done

    def show(self, id_: str) -> Campaign:
        """One review; raises UnknownReview."""
        found = self.campaigns(only=id_)
        if not found:
            raise UnknownReview(review=id_)
        return found[0]

    def permit_reading(self, actor: Actor, organ: str) -> None:
        """Raise Denied, recorded, unless the actor may see who holds what at or below `organ`, and its reviews.

        Raises UnknownOrgan.
        """
        self._decisions.require(actor, READ, Resource("Directory", organ, organ))

    def listed_for(
        self, actor: Actor, under: str, *, open_only: bool = False, after: str = "", limit: int = 100
    ) -> tuple[Campaign, ...]:
        """As `campaigns`, for whoever may see them; raises Denied, UnknownOrgan."""
        self.permit_reading(actor, under)
        return self.campaigns(under=under, open_only=open_only, after=after, limit=limit)

    def shown_for(self, actor: Actor, id_: str, under: str) -> Campaign:
        """One review, as far as it concerns `under`; raises Denied, UnknownOrgan, UnknownReview."""
        self.permit_reading(actor, under)
        found = self.campaigns(under=under, only=id_)
        if not found:
            raise UnknownReview(review=id_)
        return found[0]

    def may_decide(self, actor: Actor, items: Sequence[Item]) -> tuple[bool, ...]:
        """For each appointment whether the policies would let the actor confirm it, for showing buttons."""
        now = self._store.clock.now()
        with self._store.read() as session:
            asked = [post_of(session, each.post, each.person, now) for each in items]
        questions = [("authz.confirm-appointment", each, None) for each in asked]
        return tuple(each.allowed for each in self._decisions.check_many(actor, questions))

    def campaigns(
        self,
        *,
        under: str | None = None,
        open_only: bool = False,
        after: str = "",
        limit: int = 100,
        only: str | None = None,
    ) -> tuple[Campaign, ...]:
        """Reviews by identifier (oldest first), from the one after `after`.

        With `under`, those that concern appointments at or below that organ, counting only these.
        """
        undecided = sa.func.sum(sa.case((ItemRow.outcome.is_(None), 1), else_=0))
        query = (
            sa.select(CampaignRow, sa.func.count(), undecided)
            .join(ItemRow, ItemRow.review == CampaignRow.id)
            .where(CampaignRow.id > after)
            .group_by(CampaignRow.id)
            .order_by(CampaignRow.id)
            .limit(limit)
        )
        if under is not None:
            query = query.join(PostRow, PostRow.id == ItemRow.post).where(PostRow.organ.in_(reached(under)))
        if open_only:
            query = query.where(CampaignRow.closed.is_(None))
        if only is not None:
            query = query.where(CampaignRow.id == only)
        with self._store.read() as session:
            return tuple(
                Campaign(
                    row.id, row.organ, row.begun, row.deadline, row.begun_by, row.closed, items, int(left)
                )
                for row, items, left in session.execute(query)
            )

    def items(
        self,
        id_: str,
        *,
        under: str | None = None,
        undecided: bool = False,
        after: tuple[str, str] = ("", ""),
        limit: int = 100,
    ) -> tuple[Item, ...]:
        """The appointments of a review by person and post, from the one after `after`; with `under`, those there."""
        person, post = after
        beyond = sa.or_(ItemRow.person > person, sa.and_(ItemRow.person == person, ItemRow.post > post))
        query = (
            sa.select(ItemRow, PostRow.organ)
            .join(PostRow, PostRow.id == ItemRow.post)
            .where(ItemRow.review == id_, beyond)
            .order_by(ItemRow.person, ItemRow.post)
            .limit(limit)
        )
        if under is not None:
            query = query.where(PostRow.organ.in_(reached(under)))
        if undecided:
            query = query.where(ItemRow.outcome.is_(None))
        with self._store.read() as session:
            return tuple(
                Item(row.person, row.post, organ, row.outcome, row.decided_by, row.decided_at)
                for row, organ in session.execute(query)
            )

    def dormant(
        self, days: int, *, under: str | None = None, after: str = "", limit: int = 100
    ) -> tuple[tuple[str, datetime | None], ...]:
        """People who hold a post (with `under`, there) and have not signed in for `days`, with when they last did."""
        now = self._store.clock.now()
        since = now - timedelta(days=days)
        held = sa.exists().where(AppointmentRow.person == PersonRow.id, in_force(now))
        if under is not None:
            there = sa.select(PostRow.id).where(PostRow.organ.in_(reached(under)))
            held = held.where(AppointmentRow.post.in_(there))
        query = (
            sa.select(PersonRow.id, PersonRow.signed_in)
            .where(
                PersonRow.id > after,
                PersonRow.retired.is_(None),
                sa.or_(PersonRow.signed_in.is_(None), PersonRow.signed_in < since),
                held,
            )
            .order_by(PersonRow.id)
            .limit(limit)
        )
        with self._store.read() as session:
            return tuple((row.id, row.signed_in) for row in session.execute(query))

    def _permit_begin(self, actor: Actor, organ: str, deadline: datetime) -> dict[str, object]:
        now = self._store.clock.now()
        if deadline < now + SHORTEST:
            raise ReviewTooShort(deadline=rfc3339(deadline), days=SHORTEST.days)
        with self._store.read() as session:
            if session.get(OrganRow, organ) is None:
                raise UnknownOrgan(organ=organ)
        return self._decisions.require(
            actor, "authz.begin-review", Resource("Directory", organ, organ)
        ).record()

    def _item(
        self, session: Session, id_: str, person: str, post: str, *, hold: bool = False
    ) -> tuple[CampaignRow, ItemRow]:
        campaign = session.get(CampaignRow, id_, with_for_update=hold)
        item = session.get(ItemRow, (id_, person, post), with_for_update=hold)
        if campaign is None or item is None:
            raise UnknownReview(review=id_)
        return campaign, item

    def _close(self, id_: str, now: datetime) -> None:
        with self._store.act(SYSTEM, "authz.close-review", f"review:{id_}") as act:
            row = act.session.get(CampaignRow, id_, with_for_update=True)
            if row is None or row.closed is not None:
                raise ReviewClosed(review=id_)
            # 1. whatever nobody confirmed ends
            open_ = sa.select(ItemRow).where(ItemRow.review == id_, ItemRow.outcome.is_(None))
            left = act.session.scalars(open_.order_by(ItemRow.person, ItemRow.post)).all()
            for item in left:
                item.outcome, item.decided_at = "not-confirmed", now
                _end(act.session, item, now, "not-confirmed")
            # 2. and the review with it
            row.closed = now
            act.facts["ended"] = len(left)


def _held_below(session: Session, organ: str, now: datetime) -> list[tuple[str, str]]:
    query = (
        sa.select(AppointmentRow.person, AppointmentRow.post)
        .join(PostRow, PostRow.id == AppointmentRow.post)
        .where(PostRow.organ.in_(reached(organ)), AppointmentRow.kind != "delegation", in_force(now))
        .distinct()
        .order_by(AppointmentRow.person, AppointmentRow.post)
    )
    return [(row.person, row.post) for row in session.execute(query)]


def _end(session: Session, item: ItemRow, now: datetime, how: str) -> None:
    where = sa.and_(
        AppointmentRow.person == item.person,
        AppointmentRow.post == item.post,
        AppointmentRow.kind != "delegation",
    )
    end_all(session, where, now, how, now=now)
