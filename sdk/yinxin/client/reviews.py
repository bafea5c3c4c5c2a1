"""Reviews of appointments, and who may what."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from yinxin.client._http import Connection, segment
from yinxin.clock import rfc3339
from yinxin.wire import Instant, Reply

_PATH = "/api/authz/v1"


class Review(Reply):
    """A review, and how far it is in the part of the tree that was asked about."""

    id: str
    organ: str
    begun: Instant
    deadline: Instant
    begun_by: str
    closed: Instant | None
    items: int
    undecided: int


class ReviewItem(Reply):
    """An appointment under review; `outcome` is None while nobody decided."""

    person: str
    post: str
    organ: str
    outcome: str | None
    decided_by: str | None
    decided_at: Instant | None


class Held(Reply):
    """An appointment in force, with the post's roles, and each grant in force as `template@organ`."""

    organ: str
    organ_name: str
    post: str
    post_name: str
    person: str
    name: str
    clearance: str
    kind: str
    valid_to: Instant | None
    roles: tuple[str, ...]
    grants: tuple[str, ...]


class Conflict(Reply):
    """Somebody who holds more than one of the three powers."""

    person: str
    powers: tuple[str, ...]


class Dormant(Reply):
    """Somebody in a post, and when she last signed in; None when never."""

    person: str
    signed_in: Instant | None


class Reviews:
    """Calls about reviews and who may what; `under` is a part of the tree, the own organ without it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, under: str = "", open_only: bool = False) -> Iterator[Review]:
        """Reviews that concern the part of the tree, oldest first; raises Denied."""
        query = {"under": under, "open": "true" if open_only else "false"}
        return (Review.model_validate(item) for item in self._connection.pages(f"{_PATH}/reviews", query))

    def show(self, id_: str, *, under: str = "") -> Review:
        """One review; raises NotFound."""
        path = f"{_PATH}/reviews/{segment(id_)}"
        return Review.model_validate(self._connection.json("GET", path, params={"under": under}))

    def items(self, id_: str, *, under: str = "", undecided: bool = False) -> Iterator[ReviewItem]:
        """The appointments of a review."""
        query = {"under": under, "undecided": "true" if undecided else "false"}
        path = f"{_PATH}/reviews/{segment(id_)}/appointments"
        return (ReviewItem.model_validate(item) for item in self._connection.pages(path, query))

    def begin(self, organ: str, deadline: datetime) -> Review:
        """Put every appointment at or below the organ under review until the deadline."""
        body = {"organ": organ, "deadline": rfc3339(deadline)}
        return Review.model_validate(self._connection.json("POST", f"{_PATH}/reviews", json=body))

    def decide(self, id_: str, person: str, post: str, outcome: Literal["confirmed", "ended"]) -> ReviewItem:
        """Confirm an appointment, or end it at once."""
        body = {"person": person, "post": post, "outcome": outcome}
        path = f"{_PATH}/reviews/{segment(id_)}/decisions"
        return ReviewItem.model_validate(self._connection.json("POST", path, json=body))

    def matrix(self, *, under: str = "") -> Iterator[Held]:
        """Who holds what, by organ, post and person."""
        return (
            Held.model_validate(item) for item in self._connection.pages(f"{_PATH}/matrix", {"under": under})
        )

    def conflicts(self, *, under: str = "") -> tuple[Conflict, ...]:
        """People with more than one of the three powers: none."""
        answer = self._connection.json("GET", f"{_PATH}/conflicts", params={"under": under})
        return tuple(Conflict.model_validate(each) for each in answer["items"])

    def dormant(self, *, days: int = 90, under: str = "") -> Iterator[Dormant]:
        """People in posts who have not signed in for days."""
        query = {"under": under, "days": days}
        return (Dormant.model_validate(item) for item in self._connection.pages(f"{_PATH}/dormant", query))
