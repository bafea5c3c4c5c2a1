"""What a receiver may have to be told next: what was touched since it was last told, and the next of everything, in turn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.models import AppointmentRow, PersonRow, PostRow
from authz.scim.push.models import SentRow
from authz.scim.seek import GROUPS, USERS
from authz.scim.sight import Sight

#: of what was touched at most so many are told before their turn; more (an import) waits for the turn
MOST_TOUCHED = 500
#: the phases of a turn over everything, in order: people, posts, and what was sent and may be out of sight now
PHASES = ("user", "group", "sent")


@dataclass
class Subjects:
    """People and posts to look at, each once, people first: posts name their holders by what they are called there."""

    users: dict[str, None] = field(default_factory=dict)
    groups: dict[str, None] = field(default_factory=dict)

    def add(self, kind: str, ids: Sequence[str]) -> None:
        """More of them."""
        (self.users if kind == "user" else self.groups).update(dict.fromkeys(ids))


def touched(session: Session, since: datetime, now: datetime, into: Subjects) -> None:
    """What changed, began or ended after `since`: a row says since when it is so, an appointment its own times."""

    def within(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        return sa.and_(column > since, column <= now)

    moved = sa.or_(within(AppointmentRow.valid_from.expression), within(AppointmentRow.valid_to.expression))
    for kind, queries in (
        (
            "user",
            (
                sa.select(PersonRow.id).where(within(PersonRow.since.expression)),
                sa.select(AppointmentRow.person).where(moved),
            ),
        ),
        (
            "group",
            (
                sa.select(PostRow.id).where(within(PostRow.since.expression)),
                sa.select(AppointmentRow.post).where(moved),
            ),
        ),
    ):
        for query in queries:
            into.add(kind, session.scalars(query.distinct().limit(MOST_TOUCHED)).all())


def refused(session: Session, receiver: str, now: datetime, into: Subjects) -> None:
    """What the receiver refused and is to be tried again."""
    query = sa.select(SentRow.kind, SentRow.subject).where(
        SentRow.receiver == receiver, SentRow.failure.is_not(None), SentRow.due <= now
    )
    for kind, subject in session.execute(query.order_by(SentRow.due).limit(MOST_TOUCHED)):
        into.add(kind, [subject])


def turn(session: Session, receiver: str, sight: Sight, position: str, *, page: int, into: Subjects) -> str:
    """The next page of everything after `position`; where the turn goes on, or empty when it is complete."""
    phase, _, after = position.partition("/")
    phase = phase or PHASES[0]
    if phase == "sent":
        kind, _, subject = after.partition(":")
        later = sa.or_(SentRow.kind > kind, sa.and_(SentRow.kind == kind, SentRow.subject > subject))
        query = sa.select(SentRow.kind, SentRow.subject).where(SentRow.receiver == receiver, later)
        rows = session.execute(query.order_by(SentRow.kind, SentRow.subject).limit(page)).all()
        for row in rows:
            into.add(row.kind, [row.subject])
        return f"sent/{rows[-1].kind}:{rows[-1].subject}" if len(rows) == page else ""
    kind_ = USERS if phase == "user" else GROUPS
    found = session.scalars(
        sa.select(kind_.id).where(kind_.in_sight(sight), kind_.id > after).order_by(kind_.id).limit(page)
    ).all()
    into.add(phase, found)
    if len(found) == page:
        return f"{phase}/{found[-1]}"
    return f"{PHASES[PHASES.index(phase) + 1]}/"
