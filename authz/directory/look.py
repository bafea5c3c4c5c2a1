"""Looking things up within a transaction that the caller has open."""

from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.records import Organ, Person, Post, Standing
from authz.errors import UnknownOrgan, UnknownPerson, UnknownPost
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from authz.roles import POWERS
from yinxin.authz import Level
from yinxin.text import Text


def in_force(at: datetime) -> sa.ColumnElement[bool]:
    """The condition that an appointment is in force at `at`: from `valid_from` until before `valid_to`."""
    open_ended = sa.or_(AppointmentRow.valid_to.is_(None), AppointmentRow.valid_to > at)
    return sa.and_(AppointmentRow.valid_from <= at, open_ended)


def path(session: Session, organ: str) -> tuple[str, ...]:
    """The organ and those above it, nearest first; empty for an unknown organ."""
    query = sa.select(OrganClosure.ancestor).where(OrganClosure.organ == organ)
    return tuple(session.scalars(query.order_by(OrganClosure.distance)))


def organ(session: Session, id: str) -> Organ:  # noqa: A002 - the field's name
    """One organ; raises UnknownOrgan."""
    row = session.get(OrganRow, id)
    if row is None:
        raise UnknownOrgan(organ=id)
    return _organ(row, path(session, id))


def organs(session: Session, *, under: str | None, after: str, limit: int) -> tuple[Organ, ...]:
    """A page of organs by identifier."""
    query = sa.select(OrganRow).where(OrganRow.id > after).order_by(OrganRow.id).limit(limit)
    if under is not None:
        organ(session, under)
        query = query.join(OrganClosure, OrganClosure.organ == OrganRow.id).where(
            OrganClosure.ancestor == under
        )
    return tuple(_organ(row, path(session, row.id)) for row in session.scalars(query))


def person(session: Session, id: str) -> Person:  # noqa: A002 - the field's name
    """One person; raises UnknownPerson."""
    row = session.get(PersonRow, id)
    if row is None:
        raise UnknownPerson(person=id)
    return Person(row.id, row.name, cast("Level", row.clearance))


def post(session: Session, id: str) -> Post:  # noqa: A002 - the field's name
    """One post; raises UnknownPost."""
    found = posts(session, sa.select(PostRow.id).where(PostRow.id == id))
    if not found:
        raise UnknownPost(post=id)
    return found[0]


def posts(session: Session, ids: sa.Select[str]) -> tuple[Post, ...]:
    """The posts whose identifiers `ids` selects, by identifier."""
    roles: dict[str, set[str]] = {}
    for row in session.execute(sa.select(PostRole.post, PostRole.role).where(PostRole.post.in_(ids))):
        roles.setdefault(row.post, set()).add(row.role)
    rows = session.scalars(sa.select(PostRow).where(PostRow.id.in_(ids)).order_by(PostRow.id))
    return tuple(
        Post(row.id, row.organ, Text(row.name_zh, row.name_en), frozenset(roles.get(row.id, ())))
        for row in rows
    )


def standing(session: Session, person_id: str, post_id: str, at: datetime) -> Standing:
    """What a decision rests on; raises UnknownPerson, UnknownPost."""
    held = sa.select(AppointmentRow.post).where(AppointmentRow.person == person_id, in_force(at))
    in_post = set(session.scalars(held))
    powers = sa.select(PostRole.role).where(PostRole.post.in_(in_post), PostRole.role.in_(POWERS))
    found = post(session, post_id)
    return Standing(
        person=person(session, person_id),
        post=found,
        organ=organ(session, found.organ),
        powers=frozenset(session.scalars(powers)),
        appointed=post_id in in_post,
    )


def _organ(row: OrganRow, above: tuple[str, ...]) -> Organ:
    return Organ(
        id=row.id,
        parent=row.parent,
        name=Text(row.name_zh, row.name_en),
        short_name=row.short_name,
        level=row.level,
        division=row.division,
        uscc=row.uscc,
        path=above,
    )
