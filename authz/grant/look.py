"""Grants within a transaction that the caller has open."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory import Standing
from authz.grant.models import GrantRow
from authz.grant.records import Grant
from yinxin.store import Instant, Sql, Within, listed


def in_force(at: datetime) -> sa.ColumnElement[bool]:
    """The condition that a grant is in force at `at`."""
    return sa.and_(GrantRow.valid_from <= at, GrantRow.valid_to > at, GrantRow.revoked_at.is_(None))


def to_come(within: Within, holders: Collection[str], at: datetime) -> frozenset[str]:
    """Those of these holders who have a grant in force at `at`, or one that begins later."""
    return frozenset(_TO_COME.scalars(within, {"holders": sorted(holders), "at": at}))


def holders(person: Standing) -> list[str]:
    """As whom a person in a post holds grants: herself, the post, the organ and those above it that are of the same tenant."""
    organs = (f"organ:{organ}" for organ in person.organ.reach)
    return [f"person:{person.person.id}", f"post:{person.post.id}", *organs]


def held(session: Session, person: Standing, templates: Collection[str], at: datetime) -> tuple[Grant, ...]:
    """The grants of these templates that a person in a post holds at `at`; one statement, none without templates."""
    if not templates:
        return ()
    asked = {"holders": holders(person), "templates": sorted(templates), "at": at}
    return tuple(Grant.of(row) for row in session.execute(_HELD, asked).scalars())


def held_by(session: Session, holder: str, at: datetime) -> tuple[Grant, ...]:
    """The grants that one holder has at `at` under its own name."""
    own = sa.select(GrantRow).where(GrantRow.holder == holder, in_force(at)).order_by(GrantRow.id)
    return tuple(Grant.of(row) for row in session.scalars(own))


def next_edge(within: Within, holder: str, at: datetime) -> datetime | None:
    """The next moment after `at` at which a grant of this holder begins or ends; None when there is none."""
    rows = _EDGES.all(within, {"holder": holder, "at": at})
    return min((edge for row in rows for edge in row if edge > at), default=None)


_AT: sa.BindParameter[datetime] = sa.bindparam("at", type_=Instant())
_HOLDERS: sa.BindParameter[Any] = sa.bindparam("holders", expanding=True)
_GRANT = cast("sa.Table", GrantRow.__table__).c
_TO_COME = Sql(
    sa.select(_GRANT.holder)
    .distinct()
    .where(listed(_GRANT.holder, "holders"), _GRANT.valid_to > _AT, _GRANT.revoked_at.is_(None))
)
_EDGES = Sql(
    sa.select(_GRANT.valid_from, _GRANT.valid_to).where(
        _GRANT.holder == sa.bindparam("holder"), _GRANT.valid_to > _AT, _GRANT.revoked_at.is_(None)
    )
)
_HELD = (
    sa.select(GrantRow)
    .where(
        GrantRow.holder.in_(_HOLDERS),
        GrantRow.template.in_(sa.bindparam("templates", expanding=True)),
        GrantRow.valid_from <= _AT,
        GrantRow.valid_to > _AT,
        GrantRow.revoked_at.is_(None),
    )
    .order_by(GrantRow.id)
)
