"""People, posts and organs found by a part of their name or identifier: for choosing one."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from authz.models import OrganRow, PersonRow, PostRow
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody or something of that name; `kind` is person, post or organ, and `organ` where a post belongs."""

    kind: str
    id: str
    name: Text
    organ: str | None = None


def find(session: Session, text: str, limit: int) -> tuple[Found, ...]:
    """Those still there whose identifier or name contains `text`: people, then posts, then organs, `limit` of each."""

    def named(*fields: InstrumentedAttribute[Any]) -> sa.ColumnElement[bool]:
        return sa.or_(*(field.contains(text, autoescape=True) for field in fields))

    people = sa.select(PersonRow).where(named(PersonRow.id, PersonRow.name), PersonRow.retired.is_(None))
    posts = sa.select(PostRow).where(
        named(PostRow.id, PostRow.name_zh, PostRow.name_en), PostRow.ended.is_(None)
    )
    organs = sa.select(OrganRow).where(
        named(OrganRow.id, OrganRow.name_zh, OrganRow.name_en), OrganRow.status == "active"
    )
    return (
        *(
            Found("person", row.id, Text(row.name, row.name))
            for row in session.scalars(people.order_by(PersonRow.id).limit(limit))
        ),
        *(
            Found("post", row.id, Text(row.name_zh, row.name_en), row.organ)
            for row in session.scalars(posts.order_by(PostRow.id).limit(limit))
        ),
        *(
            Found("organ", row.id, Text(row.name_zh, row.name_en))
            for row in session.scalars(organs.order_by(OrganRow.id).limit(limit))
        ),
    )
