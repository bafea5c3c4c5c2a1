"""Who holds what: each appointment in force with its roles, and conflicts of powers among them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from authz.directory.look import in_force
from authz.directory.tree import reached
from authz.grant.look import in_force as granted_now
from authz.grant.models import GrantRow
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from authz.roles import POWERS
from yinxin.clock import rfc3339
from yinxin.store import Store

#: columns of the matrix, as it is exported
COLUMNS = (
    "organ",
    "organ_name",
    "post",
    "post_name",
    "person",
    "name",
    "clearance",
    "kind",
    "valid_to",
    "roles",
    "grants",
)
_PAGE = 500


Place = tuple[str, str, str]


def matrix(store: Store, organ: str) -> Iterator[dict[str, str]]:
    """A line for each appointment in force at or below `organ`, by organ, post and person; read page by page.

    `grants` are the templates that are opened to the holder, her post or her organ now, each with the organ it is over.
    """
    after: Place = ("", "", "")
    while True:
        rows = held_below(store, organ, after=after, limit=_PAGE)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = place(rows[-1])


def place(row: dict[str, str]) -> Place:
    """Where a line stands."""
    return row["organ"], row["post"], row["person"]


def held_below(
    store: Store, organ: str, *, after: Place = ("", "", ""), limit: int = _PAGE
) -> list[dict[str, str]]:
    """A page of the matrix, from the line after `after`."""
    now = store.clock.now()
    with store.read() as session:
        rows = _page(session, organ, now, after, limit)
        _add_grants(session, rows, now)
    return rows


def roles_held(
    store: Store, organ: str, *, after: str = "", limit: int = 50
) -> list[tuple[str, dict[str, int]]]:
    """How many people hold each role in each organ at or below `organ` where anybody holds a post; by organ."""
    now = store.clock.now()
    where = (PostRow.organ.in_(reached(organ)), PostRow.organ > after, in_force(now))
    joined = sa.select(PostRow.organ).join(AppointmentRow, AppointmentRow.post == PostRow.id).where(*where)
    with store.read() as session:
        organs = list(session.scalars(joined.distinct().order_by(PostRow.organ).limit(limit)))
        counted = (
            sa.select(PostRow.organ, PostRole.role, sa.func.count(sa.distinct(AppointmentRow.person)))
            .join(AppointmentRow, AppointmentRow.post == PostRow.id)
            .join(PostRole, PostRole.post == PostRow.id)
            .where(PostRow.organ.in_(organs), in_force(now))
            .group_by(PostRow.organ, PostRole.role)
        )
        found: dict[str, dict[str, int]] = {each: {} for each in organs}
        for of, role, count in session.execute(counted):
            found[of][role] = count
    return list(found.items())


def conflicts(store: Store, under: str | None = None) -> list[dict[str, Any]]:
    """People who hold more than one of the three powers now (with `under`, those in a post there).

    Law 4 says that there are none.
    """
    now = store.clock.now()
    held = (
        sa.select(AppointmentRow.person, PostRole.role)
        .join(PostRole, PostRole.post == AppointmentRow.post)
        .where(PostRole.role.in_(POWERS), in_force(now), *_there(under, now))
        .distinct()
        .order_by(AppointmentRow.person, PostRole.role)
    )
    powers: dict[str, list[str]] = {}
    with store.read() as session:
        for row in session.execute(held):
            powers.setdefault(row.person, []).append(row.role)
    return [{"person": person, "powers": each} for person, each in powers.items() if len(each) > 1]


def _there(under: str | None, now: datetime) -> list[sa.ColumnElement[bool]]:
    """The condition that the person holds a post at or below the organ."""
    if under is None:
        return []
    there = sa.select(PostRow.id).where(PostRow.organ.in_(reached(under)))
    own = aliased(AppointmentRow)
    held = sa.select(own.person).where(
        own.post.in_(there), own.valid_from <= now, sa.or_(own.valid_to.is_(None), own.valid_to > now)
    )
    return [AppointmentRow.person.in_(held)]


def _add_grants(session: Session, rows: list[dict[str, str]], now: datetime) -> None:
    """Beside each line what is granted to the person, the post, or the organ and those above it."""
    above: dict[str, set[str]] = {}
    organs = {row["organ"] for row in rows}
    lineage = sa.select(OrganClosure.organ, OrganClosure.ancestor).where(OrganClosure.organ.in_(organs))
    for organ, ancestor in session.execute(lineage):
        above.setdefault(organ, set()).add(f"organ:{ancestor}")
    holders = [
        {f"person:{row['person']}", f"post:{row['post']}", *above.get(row["organ"], ())} for row in rows
    ]
    wanted: set[str] = set().union(*holders) if holders else set()
    granted: dict[str, list[str]] = {}
    query = sa.select(GrantRow).where(GrantRow.holder.in_(wanted), granted_now(now)).order_by(GrantRow.id)
    for grant in session.scalars(query):
        granted.setdefault(grant.holder, []).append(f"{grant.template}@{grant.organ}")
    for row, own in zip(rows, holders, strict=True):
        row["grants"] = ";".join(
            dict.fromkeys(each for holder in sorted(own) for each in granted.get(holder, ()))
        )


def _page(session: Session, organ: str, now: datetime, after: Place, limit: int) -> list[dict[str, str]]:
    keys = (OrganRow.id, PostRow.id, PersonRow.id)
    query = (
        sa.select(OrganRow, PostRow, PersonRow, AppointmentRow)
        .select_from(AppointmentRow)
        .join(PostRow, PostRow.id == AppointmentRow.post)
        .join(OrganRow, OrganRow.id == PostRow.organ)
        .join(PersonRow, PersonRow.id == AppointmentRow.person)
        .where(
            OrganRow.id.in_(reached(organ)),
            in_force(now),
            sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, after)),
        )
        .order_by(*keys)
        .limit(limit)
    )
    found = session.execute(query).all()
    roles: dict[str, list[str]] = {}
    wanted = {row.PostRow.id for row in found}
    for role in session.scalars(sa.select(PostRole).where(PostRole.post.in_(wanted)).order_by(PostRole.role)):
        roles.setdefault(role.post, []).append(role.role)
    return [
        {
            "organ": row.OrganRow.id,
            "organ_name": row.OrganRow.name_zh,
            "post": row.PostRow.id,
            "post_name": row.PostRow.name_zh,
            "person": row.PersonRow.id,
            "name": row.PersonRow.name,
            "clearance": row.PersonRow.clearance,
            "kind": row.AppointmentRow.kind,
            "valid_to": rfc3339(row.AppointmentRow.valid_to) if row.AppointmentRow.valid_to else "",
            "roles": ";".join(roles.get(row.PostRow.id, ())),
        }
        for row in found
    ]
