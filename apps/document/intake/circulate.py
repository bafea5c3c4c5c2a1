"""Circulating: who is to read it, and who has; nobody is forgotten, for those who have not are listed until they have."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.desk import Desk
from apps.document.intake.errors import NotCirculated
from apps.document.intake.handle import demand_posts
from apps.document.intake.models import Reader
from apps.document.intake.records import INTAKES


def circulate(desk: Desk, intake: str, posts: Sequence[str]) -> list[str]:
    """传阅: add readers; those that are new. Raises UnknownPost."""
    demand_posts(desk, posts)
    with INTAKES.move(desk, intake, "document.circulate") as (act, _):
        now = desk.store.clock.now()
        new = [post for post in dict.fromkeys(posts) if act.session.get(Reader, (intake, post)) is None]
        act.session.add_all(Reader(intake=intake, post=post, asked_at=now) for post in new)
        act.facts["readers"] = new
    return new


def mark_read(desk: Desk, intake: str) -> None:
    """已阅, by somebody in a post that it is circulated to; a second time changes nothing. Raises NotCirculated."""
    post = desk.caller.actor.post or ""
    with INTAKES.move(desk, intake, "document.mark-read") as (act, _):
        row = act.session.get(Reader, (intake, post), with_for_update=True)
        if row is None:
            raise NotCirculated(intake=intake, post=post)
        if row.read_at is None:
            row.read_at, row.person = desk.store.clock.now(), desk.caller.actor.id


def readers(session: Session, intake: str) -> list[Reader]:
    """Everybody who is to read it: those who have not first."""
    query = sa.select(Reader).where(Reader.intake == intake)
    return list(session.scalars(query.order_by(Reader.read_at.is_not(None), Reader.post)))
