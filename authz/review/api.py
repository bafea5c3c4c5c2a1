"""Reviews over HTTP, and who may what: campaigns, what they are about, decisions; matrix, conflicts, unused accounts."""

from datetime import datetime
from typing import Literal

from flask import Blueprint
from pydantic import Field

from authz import errors as common
from authz.review import errors
from authz.review.matrix import conflicts, held_below, place
from authz.review.reviews import Campaign, Item
from authz.service import Authz
from yinxin.authz import PLATFORM, Denied
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, cursor, page_of, position
from yinxin.wire import Instant, Model

_SEEN = (Denied, common.UnknownOrgan)


class Under(Paged):
    """Which part of the tree, and which page."""

    under: str = Field(default="", max_length=64)
    """This organ and those below it; the own one if left out."""

    def part(self, caller: Caller) -> str:
        """The organ that was asked about."""
        return self.under or caller.actor.organ or PLATFORM


class ReviewQuery(Under):
    """Which reviews, and which page."""

    open: bool = False
    """Only those that are not closed."""


class ReviewOut(Model):
    """A review, and how far it is: `items` appointments of that part of the tree, of which `undecided` are open."""

    id: str
    organ: str
    begun: str
    deadline: str
    begun_by: str
    closed: str | None
    items: int
    undecided: int


class ReviewIn(Model):
    """Every appointment at or below the organ is to be confirmed by the deadline, or ends."""

    organ: str = Field(min_length=1, max_length=64)
    deadline: Instant


class ScopeOut(Model):
    """How many appointments a review would have."""

    items: int


class ItemQuery(Under):
    """Which appointments, and which page."""

    undecided: bool = False
    """Only those nobody decided."""


class ItemOut(Model):
    """An appointment under review; `outcome` is absent while nobody decided."""

    person: str
    post: str
    organ: str
    outcome: str | None
    decided_by: str | None
    decided_at: str | None


class DecisionIn(Model):
    """What becomes of one appointment: confirmed, or ended at once."""

    person: str = Field(min_length=1, max_length=64)
    post: str = Field(min_length=1, max_length=64)
    outcome: Literal["confirmed", "ended"]


class HeldOut(Model):
    """A line of the matrix: an appointment in force, with the post's roles and what is granted besides."""

    organ: str
    organ_name: str
    post: str
    post_name: str
    person: str
    name: str
    clearance: str
    kind: str
    valid_to: str | None
    roles: list[str]
    grants: list[str]
    """`template@organ` for each grant in force."""


class ConflictOut(Model):
    """Somebody who holds more than one of the three powers."""

    person: str
    powers: list[str]


class ConflictsOut(Model):
    """All of them: none, as it should be."""

    items: list[ConflictOut]


class DormantQuery(Under):
    """How long unused, and which page."""

    days: int = Field(default=90, ge=1, le=3660)


class DormantOut(Model):
    """Somebody in a post, and when she last signed in; absent when never."""

    person: str
    signed_in: str | None


def routes(authz: Authz) -> tuple[Blueprint, ...]:
    """The operations on reviews."""
    api = Api("authz_reviews", "/api/authz/v1", Text("复核", "Reviews"))
    _add_reviews(api, authz)
    _add_decisions(api, authz)
    _add_matrix(api, authz)
    return (api.blueprint,)


def _add_reviews(api: Api, authz: Authz) -> None:
    reviews = authz.reviews

    @api.get("/reviews", problems=_SEEN, summary=Text("任职复核", "The reviews, oldest first"))
    def review_list(query: ReviewQuery, caller: Caller) -> Page[ReviewOut]:
        found = reviews.listed_for(
            caller.actor,
            query.part(caller),
            open_only=query.open,
            after=query.begin(str) or "",
            limit=query.limit + 1,
        )
        return page_of(found, query.limit, key=lambda each: each.id, show=_review)

    @api.get("/reviews/<id>", problems=(*_SEEN, errors.UnknownReview), summary=Text("一次复核", "One review"))
    def review(id: str, query: Under, caller: Caller) -> ReviewOut:  # noqa: A002 - the field's name
        return _review(reviews.shown_for(caller.actor, id, query.part(caller)))

    @api.get(
        "/reviews/<id>/appointments",
        problems=(*_SEEN, errors.UnknownReview),
        summary=Text("一次复核的任职", "The appointments of a review"),
    )
    def review_items(id: str, query: ItemQuery, caller: Caller) -> Page[ItemOut]:  # noqa: A002 - the field's name
        part = query.part(caller)
        reviews.shown_for(caller.actor, id, part)
        after = position(query.after, str, str) if query.after else ("", "")
        found = reviews.items(
            id, under=part, undecided=query.undecided, after=(after[0], after[1]), limit=query.limit + 1
        )
        page = found[: query.limit]
        following = cursor(page[-1].person, page[-1].post) if len(found) > query.limit else None
        return Page(items=[_item(each) for each in page], next=following)


def _add_decisions(api: Api, authz: Authz) -> None:
    reviews = authz.reviews
    begun = (*_SEEN, errors.ReviewTooShort, errors.NothingToReview)

    @api.post(
        "/reviews/scope",
        repeatable=True,
        problems=begun,
        summary=Text("试算复核", "How many appointments a review would have"),
    )
    def review_scope(body: ReviewIn, caller: Caller) -> ScopeOut:
        return ScopeOut(items=reviews.scope(caller.actor, body.organ, body.deadline))

    @api.post("/reviews", status=201, problems=begun, summary=Text("发起复核", "Begin a review"))
    def begin_review(body: ReviewIn, caller: Caller) -> ReviewOut:
        return _review(reviews.begin(caller.actor, body.organ, body.deadline))

    @api.post(
        "/reviews/<id>/decisions",
        problems=(Denied, errors.UnknownReview, errors.ReviewClosed),
        summary=Text("确认或终止一项任职", "Confirm an appointment, or end it"),
    )
    def decide_review(id: str, body: DecisionIn, caller: Caller) -> ItemOut:  # noqa: A002 - the field's name
        return _item(reviews.decide(caller.actor, id, body.person, body.post, body.outcome))


def _add_matrix(api: Api, authz: Authz) -> None:
    @api.get("/matrix", problems=_SEEN, summary=Text("谁可以做什么", "Who holds what, and what is granted"))
    def permission_matrix(query: Under, caller: Caller) -> Page[HeldOut]:
        part = query.part(caller)
        authz.reviews.permit_reading(caller.actor, part)
        after = position(query.after, str, str, str) if query.after else ("", "", "")
        found = held_below(authz.store, part, after=(after[0], after[1], after[2]), limit=query.limit + 1)
        page = found[: query.limit]
        following = cursor(*place(page[-1])) if len(found) > query.limit else None
        return Page(items=[_held(each) for each in page], next=following)

    @api.get(
        "/conflicts", problems=_SEEN, summary=Text("三员冲突", "Who holds two of the three powers: nobody")
    )
    def power_conflicts(query: Under, caller: Caller) -> ConflictsOut:
        part = query.part(caller)
        authz.reviews.permit_reading(caller.actor, part)
        found = conflicts(authz.store, part)
        return ConflictsOut(items=[ConflictOut.model_validate(each) for each in found])

    @api.get("/dormant", problems=_SEEN, summary=Text("闲置账号", "People in posts who do not sign in"))
    def dormant_accounts(query: DormantQuery, caller: Caller) -> Page[DormantOut]:
        part = query.part(caller)
        authz.reviews.permit_reading(caller.actor, part)
        found = authz.reviews.dormant(
            query.days, under=part, after=query.begin(str) or "", limit=query.limit + 1
        )

        def show(each: tuple[str, datetime | None]) -> DormantOut:
            return DormantOut(person=each[0], signed_in=rfc3339(each[1]) if each[1] else None)

        return page_of(found, query.limit, key=lambda each: each[0], show=show)


def _review(each: Campaign) -> ReviewOut:
    return ReviewOut(
        id=each.id,
        organ=each.organ,
        begun=rfc3339(each.begun),
        deadline=rfc3339(each.deadline),
        begun_by=each.begun_by,
        closed=rfc3339(each.closed) if each.closed else None,
        items=each.items,
        undecided=each.undecided,
    )


def _item(each: Item) -> ItemOut:
    return ItemOut(
        person=each.person,
        post=each.post,
        organ=each.organ,
        outcome=each.outcome,
        decided_by=each.decided_by,
        decided_at=rfc3339(each.decided_at) if each.decided_at else None,
    )


def _held(row: dict[str, str]) -> HeldOut:
    lists = {name: row[name].split(";") if row[name] else [] for name in ("roles", "grants")}
    return HeldOut.model_validate({**row, **lists, "valid_to": row["valid_to"] or None})
