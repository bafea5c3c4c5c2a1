"""Lists: which resources of a kind a client sees, filtered, ordered, a page at a time (RFC 7644 3.4.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from scim2_models import SearchRequest
from sqlalchemy.orm import Session

from authz.directory.look import in_force
from authz.models import AppointmentRow, OrganRow, PersonRow, PostRole, PostRow
from authz.scim.errors import BadPath
from authz.scim.filter import Condition, Many, Searchable, column_of, condition
from authz.scim.schemas import GroupResource, OrganResource, UserResource
from authz.scim.sight import Sight
from yinxin.text import Text

_CORE = "urn:ietf:params:scim:schemas:core:2.0"
_OURS = "urn:yinxin:params:scim:schemas:extension:yinxin:2.0"
_ORGAN = "urn:yinxin:params:scim:schemas:2.0:organ"


@dataclass(frozen=True)
class Kind:
    """One sort of resource: its model, its table, which rows are in sight, what can be looked for."""

    name: str
    #: what the log calls one of them
    word: str
    model: Any
    id: sa.ColumnElement[str]
    in_sight: Callable[[Sight], Condition]
    searchable: Callable[[Sight], Searchable]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of identifiers in order, out of `total`."""

    ids: tuple[str, ...]
    total: int
    start: int


def seek(session: Session, kind: Kind, sight: Sight, wanted: SearchRequest[Any], most: int) -> Found:
    """The page that is wanted, of at most `most`; raises BadFilter, BadPath."""
    searchable = kind.searchable(sight)
    where = [kind.in_sight(sight)]
    if wanted.filter is not None:
        where.append(condition(str(wanted.filter), kind.model, searchable))
    total = session.scalar(sa.select(sa.func.count()).select_from(kind.id.table).where(*where)) or 0
    start = wanted.start_index or 1
    count = most if wanted.count is None else min(wanted.count, most)
    if count == 0 or start > total:
        return Found((), total, start)
    query = sa.select(kind.id).where(*where).order_by(*_order(kind, wanted, searchable), kind.id)
    return Found(tuple(session.scalars(query.offset(start - 1).limit(count))), total, start)


def one(session: Session, kind: Kind, sight: Sight, id_: str) -> bool:
    """Whether there is such a resource in sight."""
    return session.scalar(sa.select(kind.id).where(kind.id == id_, kind.in_sight(sight))) is not None


def _order(
    kind: Kind, wanted: SearchRequest[Any], searchable: Searchable
) -> tuple[sa.ColumnElement[Any], ...]:
    """What has no value comes last, or first when the order is turned (RFC 7644 3.4.2.3)."""
    if wanted.sort_by is None:
        return ()
    column = column_of(str(wanted.sort_by), kind.model, searchable)
    if column is None:
        path = str(wanted.sort_by)
        raise BadPath(reason=Text(f"不能按 {path} 排序", f"{path} cannot be ordered by"))
    if wanted.sort_order == SearchRequest.SortOrder.descending:
        return (column.is_(None).desc(), column.desc())
    return (column.is_(None), column)


def _users(sight: Sight) -> Searchable:
    posts: dict[str, Any] = {"value": PostRow.id, "display": PostRow.name_zh}
    more: dict[str, Any] = {
        "organ": PostRow.organ,
        "organname": OrganRow.name_zh,
        "division": OrganRow.division,
        "kind": AppointmentRow.kind,
        "validfrom": AppointmentRow.valid_from,
        "validto": AppointmentRow.valid_to,
    }

    def held(which: Condition) -> Condition:
        joined = sight.held(PostRow.id.expression).join(OrganRow, OrganRow.id == PostRow.organ)
        return sa.exists(joined.where(which))

    def substantive(which: Condition) -> Condition:
        return held(sa.and_(AppointmentRow.kind != "delegation", which))

    return {
        **_common(PersonRow.id.expression, PersonRow.since.expression, sight, "user"),
        f"{_CORE}:user:username": PersonRow.id.expression,
        f"{_CORE}:user:displayname": PersonRow.name.expression,
        f"{_CORE}:user:active": PersonRow.retired.is_(None),
        f"{_CORE}:user:groups": Many(substantive, posts),
        f"{_OURS}:user:organ": sight.home,
        f"{_OURS}:user:posts": Many(held, posts | more),
    }


def _groups(sight: Sight) -> Searchable:
    def members(which: Condition) -> Condition:
        held = (
            sa.select(AppointmentRow.person)
            .select_from(AppointmentRow)
            .join(PersonRow, PersonRow.id == AppointmentRow.person)
            .where(
                AppointmentRow.post == PostRow.id,
                AppointmentRow.kind != "delegation",
                in_force(sight.at),
                which,
            )
            .correlate(PostRow)
        )
        return sa.exists(held)

    def roles(which: Condition) -> Condition:
        return sa.exists(
            sa.select(PostRole.role).where(PostRole.post == PostRow.id, which).correlate(PostRow)
        )

    return {
        **_common(PostRow.id.expression, PostRow.since.expression, sight, "group"),
        f"{_CORE}:group:displayname": PostRow.name_zh.expression,
        f"{_CORE}:group:members": Many(members, {"value": PersonRow.id, "display": PersonRow.name}),
        f"{_OURS}:group:organ": PostRow.organ.expression,
        f"{_OURS}:group:roles": Many(roles, {"": PostRole.role}),
    }


def _organs(sight: Sight) -> Searchable:
    columns: dict[str, sa.ColumnElement[Any]] = {
        "displayname": OrganRow.name_zh.expression,
        "displaynameen": OrganRow.name_en.expression,
        "shortname": OrganRow.short_name.expression,
        "level": OrganRow.level.expression,
        "division": OrganRow.division.expression,
        "creditcode": OrganRow.uscc.expression,
        "line": OrganRow.line.expression,
        "parent": OrganRow.parent.expression,
        "active": OrganRow.status == "active",
    }
    return _common(OrganRow.id.expression, OrganRow.since.expression, sight, "organ") | {
        f"{_ORGAN}:{name}": column for name, column in columns.items()
    }


def _common(
    id_: sa.ColumnElement[str], since: sa.ColumnElement[Any], sight: Sight, kind: str
) -> dict[str, "sa.ColumnElement[Any] | Many"]:
    """What every resource has."""
    schema = _ORGAN if kind == "organ" else f"{_CORE}:{kind}"
    return {
        f"{schema}:id": id_,
        f"{schema}:externalid": sight.external(kind, id_),
        f"{schema}:meta.lastmodified": since,
    }


USERS = Kind("User", "person", UserResource, PersonRow.id.expression, lambda sight: sight.people, _users)
GROUPS = Kind(
    "Group",
    "post",
    GroupResource,
    PostRow.id.expression,
    lambda sight: sa.and_(PostRow.ended.is_(None), sight.posts),
    _groups,
)
ORGANS = Kind("Organ", "organ", OrganResource, OrganRow.id.expression, lambda sight: sight.organs, _organs)

#: by address below the root
KINDS = {"Users": USERS, "Groups": GROUPS, "Organs": ORGANS}
