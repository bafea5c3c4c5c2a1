"""Looking things up within a transaction that the caller has open."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.models import DelegationRow
from authz.directory.records import Appointment, Organ, Person, Post, Standing
from authz.errors import UnknownOrgan, UnknownPerson, UnknownPost
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from authz.roles import powers
from yinxin.authz import Level
from yinxin.store import Base, Sql, Within, listed
from yinxin.text import Text


def in_force(at: datetime) -> sa.ColumnElement[bool]:
    """The condition that an appointment is in force at `at`: from `valid_from` until before `valid_to`."""
    open_ended = sa.or_(AppointmentRow.valid_to.is_(None), AppointmentRow.valid_to > at)
    return sa.and_(AppointmentRow.valid_from <= at, open_ended)


def next_edge(within: Within, person_id: str, at: datetime) -> datetime | None:
    """The next moment after `at` at which an appointment of the person begins or ends; None when there is none."""
    rows = _EDGES.all(within, {"person": person_id, "at": at})
    return min((edge for row in rows for edge in row if edge is not None and edge > at), default=None)


def path(within: Within, organ: str) -> tuple[str, ...]:
    """The organ and those above it, nearest first; empty for an unknown organ."""
    return tuple(_PATH.scalars(within, {"organ": organ}))


def reach(within: Within, organ: str) -> tuple[str, ...]:
    """As `path`, as far as authority reaches: up to the tenant that the organ is or lies in."""
    return tuple(_REACH.scalars(within, {"organ": organ}))


def organ(session: Session, id: str) -> Organ:  # noqa: A002 - the field's name
    """One organ; raises UnknownOrgan."""
    row = session.get(OrganRow, id)
    if row is None:
        raise UnknownOrgan(organ=id)
    return _organ(row, path(session, id))


def organ_on_record(within: Within, id: str) -> Organ:  # noqa: A002 - the field's name
    """As `organ`, past the ORM: for a transaction that changes nothing. Every issuance asks it."""
    row = _ITSELF.first(within, {"organ": id})
    if row is None:
        raise UnknownOrgan(organ=id)
    return _organ(row, path(within, id))


def organs(
    session: Session,
    *,
    under: str | None,
    after: str,
    limit: int,
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> tuple[Organ, ...]:
    """A page of organs by identifier."""
    query = sa.select(OrganRow).where(OrganRow.id > after, *where).order_by(OrganRow.id).limit(limit)
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


def standing(within: Within, person_id: str, post_id: str, at: datetime) -> Standing:
    """What a decision rests on; raises UnknownPerson, UnknownPost."""
    found = standings(within, [(person_id, post_id)], at)
    if not found:
        if not _ONE.posts.all(within, {"posts": post_id}):
            raise UnknownPost(post=post_id)
        raise UnknownPerson(person=person_id)
    return found[person_id, post_id]


def standings(
    within: Within, pairs: Iterable[tuple[str, str]], at: datetime
) -> Mapping[tuple[str, str], Standing]:
    """As `standing` for many people in posts at once; pairs with a name that is unknown are left out.

    Four statements, prepared: every act asks for it, some more than once.
    """
    if not (wanted := set(pairs)):
        return {}
    asked: dict[str, Any]
    if len(wanted) == 1:
        asking, ((one, its),) = _ONE, wanted
        asked = {"people": one, "posts": its}
    else:
        asking = _MANY
        asked = {
            "people": sorted({each for each, _ in wanted}),
            "posts": sorted({each for _, each in wanted}),
        }
    people_ = {row.id: _person(row) for row in asking.people.all(within, asked)}
    places = _places(within, asking, asked)
    in_posts: dict[str, dict[str, dict[str | None, Any]]] = {each: {} for each in people_}
    roles: dict[str, set[str]] = {each: set() for each in people_}
    for row in asking.held.all(within, asked | {"at": at}):
        in_posts[row.person].setdefault(row.post, {})[row.delegation] = row.actions
        roles[row.person].add(row.role)
    return {
        (person_id, post_id): Standing(
            person=people_[person_id],
            post=places[post_id][0],
            organ=places[post_id][1],
            powers=powers(frozenset(roles[person_id])),
            appointed=post_id in in_posts[person_id],
            **_by_delegation(in_posts[person_id].get(post_id, {})),
        )
        for person_id, post_id in wanted
        if person_id in people_ and post_id in places
    }


def _by_delegation(ways: Mapping[str | None, list[str] | None]) -> dict[str, Any]:
    """The delegation by which a post is held, and what it is limited to; none for whoever holds it otherwise as well."""
    if not ways or None in ways:
        return {}
    given, actions = next(iter(ways.items()))
    return {"delegation": given, "actions": None if actions is None else frozenset(actions)}


def _places(within: Within, asking: "_Asking", asked: Mapping[str, Any]) -> Mapping[str, tuple[Post, Organ]]:
    """The posts with their roles and organs, by identifier."""
    paths: dict[str, list[str]] = {}
    for post_id, ancestor in asking.paths.all(within, asked):
        paths.setdefault(post_id, []).append(ancestor)
    rows: dict[str, Any] = {}
    roles: dict[str, set[str]] = {}
    for row in asking.posts.all(within, asked):
        rows[row.post] = row
        roles.setdefault(row.post, set()).update({row.role} - {None})
    return {
        each: (
            Post(each, row.id, Text(row.post_zh, row.post_en), frozenset(roles[each])),
            _organ(row, tuple(paths.get(each, ()))),
        )
        for each, row in rows.items()
    }


def _roles(session: Session, posts: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The roles of each post."""
    found: dict[str, set[str]] = {each: set() for each in posts}
    for row in session.execute(sa.select(PostRole.post, PostRole.role).where(PostRole.post.in_(found))):
        found[row.post].add(row.role)
    return {each: frozenset(roles) for each, roles in found.items()}


def _table(model: type[Base]) -> sa.Table:
    return cast("sa.Table", model.__table__)


_PERSON, _POST, _ROLE = _table(PersonRow).c, _table(PostRow).c, _table(PostRole).c
_ORGAN, _ABOVE, _APPOINTED = _table(OrganRow).c, _table(OrganClosure).c, _table(AppointmentRow).c
_GIVEN = _table(DelegationRow).c
_ITSELF = Sql(sa.select(*_ORGAN).where(_ORGAN.id == sa.bindparam("organ")))
_PATH = Sql(sa.select(_ABOVE.ancestor).where(_ABOVE.organ == sa.bindparam("organ")).order_by(_ABOVE.distance))
_OWN, _UP = _table(OrganRow).alias("own"), _table(OrganRow).alias("up")
_REACH = Sql(
    sa.select(_ABOVE.ancestor)
    .join_from(_table(OrganClosure), _OWN, _OWN.c.id == _ABOVE.organ)
    .join(_UP, _UP.c.id == _ABOVE.ancestor)
    .where(_ABOVE.organ == sa.bindparam("organ"), _OWN.c.tenant.is_not_distinct_from(_UP.c.tenant))
    .order_by(_ABOVE.distance)
)


_EDGES = Sql(
    sa.select(_APPOINTED.valid_from, _APPOINTED.valid_to).where(
        _APPOINTED.person == sa.bindparam("person"),
        sa.or_(_APPOINTED.valid_to.is_(None), _APPOINTED.valid_to > sa.bindparam("at")),
    )
)


class _Asking:
    """The four questions of `standings`, about one person in one post or, in lists, about many."""

    def __init__(self, *, many: bool) -> None:
        def among(column: sa.Column[Any], name: str) -> sa.ColumnElement[bool]:
            return listed(column, name) if many else column == sa.bindparam(name)

        at: sa.BindParameter[Any] = sa.bindparam("at")
        posts_ = among(_POST.id, "posts")
        self.people = Sql(
            sa.select(_PERSON.id, _PERSON.name, _PERSON.clearance, _PERSON.retired).where(
                among(_PERSON.id, "people")
            )
        )
        #: each appointment in force of these people with each role of its post, and the delegation it rests on
        self.held = Sql(
            sa.select(_APPOINTED.person, _APPOINTED.post, _ROLE.role, _APPOINTED.delegation, _GIVEN.actions)
            .outerjoin_from(_table(AppointmentRow), _table(PostRole), _ROLE.post == _APPOINTED.post)
            .outerjoin(_table(DelegationRow), _GIVEN.id == _APPOINTED.delegation)
            .where(
                among(_APPOINTED.person, "people"),
                _APPOINTED.valid_from <= at,
                sa.or_(_APPOINTED.valid_to.is_(None), _APPOINTED.valid_to > at),
            )
        )
        named = (_POST.name_zh.label("post_zh"), _POST.name_en.label("post_en"))
        #: each of these posts with its organ and each of its roles
        self.posts = Sql(
            sa.select(_POST.id.label("post"), *named, *_ORGAN, _ROLE.role)
            .join_from(_table(PostRow), _table(OrganRow), _ORGAN.id == _POST.organ)
            .outerjoin(_table(PostRole), _ROLE.post == _POST.id)
            .where(posts_)
        )
        self.paths = Sql(
            sa.select(_POST.id.label("post"), _ABOVE.ancestor)
            .join_from(_table(PostRow), _table(OrganClosure), _ABOVE.organ == _POST.organ)
            .where(posts_)
            .order_by(_POST.id, _ABOVE.distance)
        )


_ONE, _MANY = _Asking(many=False), _Asking(many=True)


def _person(row: Any) -> Person:
    return Person(row.id, row.name, cast("Level", row.clearance), row.retired)


def _post(row: PostRow, roles: frozenset[str]) -> Post:
    return Post(row.id, row.organ, Text(row.name_zh, row.name_en), roles, row.ended)


def appointment(row: AppointmentRow) -> Appointment:
    """The row as the directory tells it."""
    return Appointment(
        row.person, row.post, row.valid_from, row.valid_to, row.kind, row.delegation, row.ended
    )


def _organ(row: Any, above: tuple[str, ...]) -> Organ:
    return Organ(
        id=row.id,
        parent=row.parent,
        name=Text(row.name_zh, row.name_en),
        short_name=row.short_name,
        level=row.level,
        division=row.division,
        uscc=row.uscc,
        path=above,
        line=row.line,
        status=row.status,
        tenant=row.tenant,
    )
