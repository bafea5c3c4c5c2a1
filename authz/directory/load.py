"""Loading a directory file: one transaction, so a crash leaves all of it or none, and a second run changes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.check import ancestors, check_file, check_references
from authz.directory.file import DirectoryFile
from authz.errors import PowersMeet
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from authz.roles import POWERS
from yinxin.clock import rfc3339
from yinxin.store import Base

_Row = TypeVar("_Row", OrganRow, PersonRow, PostRow)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows were new, changed, or already so."""

    added: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: "Loaded") -> "Loaded":
        return Loaded(self.added + other.added, self.changed + other.changed, self.same + other.same)


def load(session: Session, file: DirectoryFile) -> Loaded:
    """Bring the tables to what the file says; raises a leaf of BadDirectory and leaves them alone."""
    check_file(file)
    _one_at_a_time(session)
    organs = _existing(session, OrganRow)
    posts = _existing(session, PostRow)
    people = _existing(session, PersonRow)
    check_references(file, organs, posts, people)
    parents = {row.id: row.parent for row in organs.values()} | {row.id: row.parent for row in file.organs}
    tree = ancestors(parents)
    in_order = sorted(file.organs, key=lambda organ: len(tree[organ.id]))
    done = _put(session, OrganRow, organs, (organ.model_dump() for organ in in_order))
    if done.added or done.changed:
        _rebuild_closure(session, tree)
    done += _put(session, PersonRow, people, (person.model_dump() for person in file.people))
    done += _put(session, PostRow, posts, (post.model_dump(exclude={"roles"}) for post in file.posts))
    done += _put_roles(session, file)
    done += _put_appointments(session, file)
    keep_powers_apart(session)
    return done


def keep_powers_apart(session: Session) -> None:
    """Law 4 over everything loaded: raises PowersMeet for the first person who would hold two of the three at once."""
    held = sa.select(
        AppointmentRow.person,
        PostRole.role,
        AppointmentRow.post,
        AppointmentRow.valid_from,
        AppointmentRow.valid_to,
    ).join(PostRole, PostRole.post == AppointmentRow.post)
    by_person: dict[str, list[Any]] = {}
    for row in session.execute(held.where(PostRole.role.in_(POWERS)).order_by(AppointmentRow.valid_from)):
        by_person.setdefault(row.person, []).append(row)
    for person, rows in sorted(by_person.items()):
        for earlier, later in combinations(rows, 2):
            if earlier.role == later.role:
                continue
            if earlier.valid_to is None or later.valid_from < earlier.valid_to:
                raise PowersMeet(
                    person=person,
                    since=rfc3339(later.valid_from),
                    first=earlier.role,
                    first_post=earlier.post,
                    second=later.role,
                    second_post=later.post,
                )


def _one_at_a_time(session: Session) -> None:
    """Two loads at once could each keep the powers apart and together not; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"LOCK TABLE {AppointmentRow.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))


def _existing(session: Session, kind: type[_Row]) -> dict[str, _Row]:
    return {row.id: row for row in session.scalars(sa.select(kind))}


def _put(
    session: Session, kind: type[Base], existing: Mapping[str, Base], rows: Iterable[Mapping[str, Any]]
) -> Loaded:
    """Add or change rows of one table, in the order given (an organ after its parent)."""
    added = changed = same = 0
    for values in rows:
        row = existing.get(values["id"])
        if row is None:
            session.add(kind(**values))
            added += 1
        elif _assign(row, values):
            changed += 1
        else:
            same += 1
    session.flush()
    return Loaded(added, changed, same)


def _assign(row: Base, values: Mapping[str, Any]) -> bool:
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def _rebuild_closure(session: Session, tree: Mapping[str, tuple[str, ...]]) -> None:
    session.execute(sa.delete(OrganClosure))
    pairs = [
        {"organ": organ, "ancestor": above, "distance": distance}
        for organ, path in tree.items()
        for distance, above in enumerate(path)
    ]
    session.execute(sa.insert(OrganClosure), pairs)


def _put_roles(session: Session, file: DirectoryFile) -> Loaded:
    """Roles are part of their post: a change of roles is a change of the post."""
    existing: dict[str, set[str]] = {}
    for row in session.scalars(sa.select(PostRole)):
        existing.setdefault(row.post, set()).add(row.role)
    changed = 0
    for post in file.posts:
        before, after = existing.get(post.id, set()), set(post.roles)
        if gone := before - after:
            session.execute(sa.delete(PostRole).where(PostRole.post == post.id, PostRole.role.in_(gone)))
        session.add_all(PostRole(post=post.id, role=role) for role in sorted(after - before))
        changed += bool(before and before != after)
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
        elif row.valid_to != entry.valid_to:
            row.valid_to = entry.valid_to
            changed += 1
        else:
            same += 1
    session.flush()
    return Loaded(added, changed, same)
