"""Loading a directory file: one transaction, so a crash leaves all of it or none, and a second run changes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.apart import tenants_apart
from authz.directory.check import ancestors, check_divisions, check_file, check_references
from authz.directory.errors import OrganEnded
from authz.directory.file import DirectoryFile
from authz.directory.past import alter, supersede
from authz.errors import PowersMeet
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from authz.roles import POWERS
from yinxin.clock import rfc3339
from yinxin.store import Act

_Row = TypeVar("_Row", OrganRow, PersonRow, PostRow)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows were new, changed, or already so."""

    added: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: "Loaded") -> "Loaded":
        return Loaded(self.added + other.added, self.changed + other.changed, self.same + other.same)


def load(act: Act, file: DirectoryFile, at: datetime) -> Loaded:
    """Bring the tables to what the file says; raises a leaf of BadDirectory, or TenantBoundary, and leaves them alone.

    How a changed row was is kept; a new one is taken to have been so as long as anybody knows.
    """
    check_file(file)
    one_at_a_time(act.session)
    with tenants_apart(act.session):
        return _load(act, file, at)


def _load(act: Act, file: DirectoryFile, at: datetime) -> Loaded:
    session = act.session
    organs = _existing(session, OrganRow)
    posts = _existing(session, PostRow)
    people = _existing(session, PersonRow)
    check_references(file, organs, posts, people)
    parents = {row.id: row.parent for row in organs.values()} | {row.id: row.parent for row in file.organs}
    tree = ancestors(parents)
    check_divisions(file, {row.id: (row.parent, row.division) for row in organs.values()})
    in_order = sorted(file.organs, key=lambda organ: len(tree[organ.id]))
    done = _put(act, OrganRow, organs, (organ.model_dump() for organ in in_order), at)
    if done.added or done.changed:
        _rebuild_closure(session, tree)
    done += _put(act, PersonRow, people, (person.model_dump() for person in file.people), at)
    done += _put(act, PostRow, posts, (post.model_dump(exclude={"roles"}) for post in file.posts), at)
    done += _put_roles(act, file, at)
    done += _put_appointments(session, file)
    keep_powers_apart(session)
    return done


def keep_powers_apart(session: Session, person: str | None = None) -> None:
    """Law 4 over everything loaded, or over one person: raises PowersMeet for the first who would hold two at once."""
    held = sa.select(
        AppointmentRow.person,
        PostRole.role,
        AppointmentRow.post,
        AppointmentRow.valid_from,
        AppointmentRow.valid_to,
    ).join(PostRole, PostRole.post == AppointmentRow.post)
    if person is not None:
        held = held.where(AppointmentRow.person == person)
    by_person: dict[str, list[Any]] = {}
    for row in session.execute(held.where(PostRole.role.in_(POWERS)).order_by(AppointmentRow.valid_from)):
        by_person.setdefault(row.person, []).append(row)
    for holder, rows in sorted(by_person.items()):
        for earlier, later in combinations(rows, 2):
            if earlier.role == later.role:
                continue
            if earlier.valid_to is None or later.valid_from < earlier.valid_to:
                raise PowersMeet(
                    person=holder,
                    since=rfc3339(later.valid_from),
                    first=earlier.role,
                    first_post=earlier.post,
                    second=later.role,
                    second_post=later.post,
                )


def one_at_a_time(session: Session) -> None:
    """Two loads at once could each keep the powers apart and together not; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"LOCK TABLE {AppointmentRow.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))


def _existing(session: Session, kind: type[_Row]) -> dict[str, _Row]:
    return {row.id: row for row in session.scalars(sa.select(kind))}


def _put(
    act: Act, kind: type[_Row], existing: Mapping[str, _Row], rows: Iterable[Mapping[str, Any]], at: datetime
) -> Loaded:
    """Add or change rows of one table, in the order given (an organ after its parent)."""
    added = changed = same = 0
    for values in rows:
        row = existing.get(values["id"])
        if row is None:
            act.session.add(kind(**values))
            added += 1
        elif alter(act, row, at, **values):
            changed += 1
            _refuse_ended(row)
        else:
            same += 1
    act.session.flush()
    return Loaded(added, changed, same)


def _rebuild_closure(session: Session, tree: Mapping[str, tuple[str, ...]]) -> None:
    session.execute(sa.delete(OrganClosure))
    pairs = [
        {"organ": organ, "ancestor": above, "distance": distance}
        for organ, path in tree.items()
        for distance, above in enumerate(path)
    ]
    session.execute(sa.insert(OrganClosure), pairs)


def _refuse_ended(row: OrganRow | PersonRow | PostRow) -> None:
    """An organ that is no more is not brought back, nor moved, by an old file."""
    if isinstance(row, OrganRow) and row.status != "active":
        raise OrganEnded(organ=row.id)


def _put_roles(act: Act, file: DirectoryFile, at: datetime) -> Loaded:
    """Roles are part of their post: a change of roles is a change of the post."""
    session = act.session
    existing: dict[str, set[str]] = {}
    for row in session.scalars(sa.select(PostRole)):
        existing.setdefault(row.post, set()).add(row.role)
    changed = 0
    for post in file.posts:
        before, after = existing.get(post.id, set()), set(post.roles)
        if before and before != after:
            supersede(act, session.get_one(PostRow, post.id), at)
            changed += 1
        if gone := before - after:
            session.execute(sa.delete(PostRole).where(PostRole.post == post.id, PostRole.role.in_(gone)))
        session.add_all(PostRole(post=post.id, role=role) for role in sorted(after - before))
    session.flush()
    return Loaded(changed=changed)


def _put_appointments(session: Session, file: DirectoryFile) -> Loaded:
    existing = {
        (row.person, row.post, row.valid_from): row for row in session.scalars(sa.select(AppointmentRow))
    }
    added = changed = same = 0
    for entry in file.appointments:
        row = existing.get(entry.key)
        if row is None:
            session.add(AppointmentRow(**entry.model_dump()))
            added += 1
        elif (row.valid_to, row.kind) != (entry.valid_to, entry.kind):
            row.valid_to, row.kind = entry.valid_to, entry.kind
            changed += 1
        else:
            same += 1
    session.flush()
    return Loaded(added, changed, same)
