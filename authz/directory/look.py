"""Looking things up within a transaction that the caller has open."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.records import Organ, Person, Post, Standing
from authz.errors import UnknownOrgan, UnknownPerson, UnknownPost
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from authz.roles import powers
from yinxin.authz import Level
from yinxin.text import Text

_Row = TypeVar("_Row", PersonRow, PostRow, OrganRow)


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
    return _person(row)


def post(session: Session, id: str) -> Post:  # noqa: A002 - the field's name
    """One post; raises UnknownPost."""
    found = posts(session, sa.select(PostRow.id).where(PostRow.id == id))
    if not found:
        raise UnknownPost(post=id)
    return found[0]


def posts(session: Session, ids: sa.Select[str]) -> tuple[Post, ...]:
    """The posts whose identifiers `ids` selects, by identifier."""
    rows = session.scalars(sa.select(PostRow).where(PostRow.id.in_(ids)).order_by(PostRow.id)).all()
    roles = _roles(session, (row.id for row in rows))
    return tuple(_post(row, roles[row.id]) for row in rows)


def standing(session: Session, person_id: str, post_id: str, at: datetime) -> Standing:
    """What a decision rests on; raises UnknownPerson, UnknownPost. Four statements, since every act asks for it."""
    named = (
        sa.select(PersonRow, PostRow, OrganRow)
        .join_from(PersonRow, PostRow, PostRow.id == post_id)
        .join(OrganRow, OrganRow.id == PostRow.organ)
        .where(PersonRow.id == person_id)
    )
    found = session.execute(named).one_or_none()
    if found is None:
        post(session, post_id)
        raise UnknownPerson(person=person_id)
    person_row, post_row, organ_row = found
    held = sa.select(AppointmentRow.post).where(AppointmentRow.person == person_id, in_force(at))
    in_post = set(session.scalars(held))
    roles = _roles(session, in_post | {post_id})
    return Standing(
        person=_person(person_row),
        post=_post(post_row, roles[post_id]),
        organ=_organ(organ_row, path(session, organ_row.id)),
        powers=powers(frozenset().union(*(roles[each] for each in in_post))),
        appointed=post_id in in_post,
    )


def standings(
    session: Session, pairs: Iterable[tuple[str, str]], at: datetime
) -> Mapping[tuple[str, str], Standing]:
    """As `standing` for many people in posts at once; pairs with a name that is unknown are left out."""
    wanted = set(pairs)
    people = _by_id(session, PersonRow, {person_id for person_id, _ in wanted})
    in_posts: dict[str, set[str]] = {each: set() for each in people}
    held = sa.select(AppointmentRow.person, AppointmentRow.post)
    for row in session.execute(held.where(AppointmentRow.person.in_(in_posts), in_force(at))):
        in_posts[row.person].add(row.post)
    asked = {post_id for _, post_id in wanted}
    roles = _roles(session, asked.union(*in_posts.values()))
    posts_ = _by_id(session, PostRow, asked)
    organs_ = {
        row.id: _organ(row, path(session, row.id))
        for row in _by_id(session, OrganRow, {row.organ for row in posts_.values()}).values()
    }
    return {
        (person_id, post_id): Standing(
            person=_person(people[person_id]),
            post=_post(posts_[post_id], roles[post_id]),
            organ=organs_[posts_[post_id].organ],
            powers=powers(frozenset().union(*(roles[each] for each in in_posts[person_id]))),
            appointed=post_id in in_posts[person_id],
        )
        for person_id, post_id in wanted
        if person_id in people and post_id in posts_
    }


def _by_id(session: Session, table: type[_Row], ids: set[str]) -> dict[str, _Row]:
    return {row.id: row for row in session.scalars(sa.select(table).where(table.id.in_(ids)))}


def _roles(session: Session, posts: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The roles of each post."""
    found: dict[str, set[str]] = {each: set() for each in posts}
    for row in session.execute(sa.select(PostRole.post, PostRole.role).where(PostRole.post.in_(found))):
        found[row.post].add(row.role)
    return {each: frozenset(roles) for each, roles in found.items()}


def _person(row: PersonRow) -> Person:
    return Person(row.id, row.name, cast("Level", row.clearance))


def _post(row: PostRow, roles: frozenset[str]) -> Post:
    return Post(row.id, row.organ, Text(row.name_zh, row.name_en), roles)


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
