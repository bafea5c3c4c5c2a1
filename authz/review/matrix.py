"""Who holds what: each appointment in force with its roles, and conflicts of powers among them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.look import in_force
from authz.directory.tree import below
from authz.models import AppointmentRow, OrganRow, PersonRow, PostRole, PostRow
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
)
_PAGE = 500


def matrix(store: Store, organ: str) -> Iterator[dict[str, str]]:
    """A line for each appointment in force at or below `organ`, by organ, post and person; read page by page."""
    after: tuple[str, str, str] = ("", "", "")
    now = store.clock.now()
    while True:
        with store.read() as session:
            rows = _page(session, organ, now, after)
        yield from rows
        if len(rows) < _PAGE:
            return
        last = rows[-1]
        after = (last["organ"], last["post"], last["person"])


def conflicts(store: Store) -> list[dict[str, Any]]:
    """People who hold more than one of the three powers now; law 4 says that there are none."""
    now = store.clock.now()
    held = (
        sa.select(AppointmentRow.person, PostRole.role)
        .join(PostRole, PostRole.post == AppointmentRow.post)
        .where(PostRole.role.in_(POWERS), in_force(now))
        .distinct()
        .order_by(AppointmentRow.person, PostRole.role)
    )
    powers: dict[str, list[str]] = {}
    with store.read() as session:
        for row in session.execute(held):
            powers.setdefault(row.person, []).append(row.role)
    return [{"person": person, "powers": each} for person, each in powers.items() if len(each) > 1]


def _page(session: Session, organ: str, now: datetime, after: tuple[str, str, str]) -> list[dict[str, str]]:
    place = (OrganRow.id, PostRow.id, PersonRow.id)
    query = (
        sa.select(OrganRow, PostRow, PersonRow, AppointmentRow)
        .select_from(AppointmentRow)
        .join(PostRow, PostRow.id == AppointmentRow.post)
        .join(OrganRow, OrganRow.id == PostRow.organ)
        .join(PersonRow, PersonRow.id == AppointmentRow.person)
        .where(
            OrganRow.id.in_(below(organ)),
            in_force(now),
            sa.tuple_(*place) > sa.tuple_(*map(sa.literal, after)),
        )
        .order_by(*place)
        .limit(_PAGE)
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
