"""Entering rows by batches within one transaction: new ones by the thousand, changed ones with how they were."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

from authz.directory.file import AppointmentEntry, DirectoryFile, OrganEntry, PersonEntry, PostEntry
from authz.directory.load import load
from authz.directory.past import Difference, alter, supersede
from authz.models import AppointmentRow, PersonRow, PostRole, PostRow
from yinxin.clock import rfc3339
from yinxin.store import Act

_T = TypeVar("_T")
#: rows looked up and entered at a time; each row takes up to five of the 32,766 parameters a statement may have
BATCH = 2000
#: changed rows that a report tells one by one
_TOLD = 1000


@dataclass
class Tally:
    """What an import makes of one table."""

    new: int = 0
    changed: int = 0
    ended: int = 0
    untouched: int = 0

    def fields(self) -> dict[str, int]:
        """For machines."""
        return {"new": self.new, "changed": self.changed, "ended": self.ended, "untouched": self.untouched}


@dataclass
class Entering:
    """An import under way: the act it is part of, the time, what it came to so far."""

    act: Act
    at: datetime
    tallies: dict[str, Tally] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    #: of the people in `watched`, those whom it gives a post, more in one, or another clearance
    gaining: set[str] = field(default_factory=set)
    watched: frozenset[str] = frozenset()

    def organs(self, entries: Sequence[OrganEntry]) -> None:
        """All organs at once: there are some thousand, and the tree is theirs together."""
        tally = self.tallies.setdefault("organs", Tally())
        done = load(self.act, DirectoryFile(organs=tuple(entries)), self.at)
        tally.new, tally.changed, tally.untouched = done.added, done.changed, done.same

    def posts(self, entries: Iterable[PostEntry]) -> None:
        """Posts with their roles."""
        tally = self.tallies.setdefault("posts", Tally())
        session = self.act.session
        for batch in batches(entries):
            ids = [each.id for each in batch]
            rows = {row.id: row for row in session.scalars(sa.select(PostRow).where(PostRow.id.in_(ids)))}
            roles: dict[str, set[str]] = {each: set() for each in rows}
            for role in session.scalars(sa.select(PostRole).where(PostRole.post.in_(list(rows)))):
                roles[role.post].add(role.role)
            new = [each for each in batch if each.id not in rows]
            self._insert(PostRow, [each.model_dump(exclude={"roles"}) | {"since": None} for each in new])
            self._insert(PostRole, [{"post": e.id, "role": r} for e in new for r in sorted(e.roles)])
            tally.new += len(new)
            for each in batch:
                if each.id in rows:
                    self._post(rows[each.id], each, roles[each.id], tally)
            session.expunge_all()

    def people(self, entries: Iterable[PersonEntry]) -> None:
        """People."""
        tally = self.tallies.setdefault("people", Tally())
        session = self.act.session
        for batch in batches(entries):
            ids = [each.id for each in batch]
            rows = {row.id: row for row in session.scalars(sa.select(PersonRow).where(PersonRow.id.in_(ids)))}
            new = [each.model_dump() | {"since": None} for each in batch if each.id not in rows]
            self._insert(PersonRow, new)
            tally.new += len(new)
            for each in batch:
                if each.id in rows:
                    differing = alter(self.act, rows[each.id], self.at, **each.model_dump(exclude={"id"}))
                    if any(difference.field == "clearance" for difference in differing):
                        self._gain({each.id})
                    self._count(tally, differing)
            session.flush()
            session.expunge_all()

    def appointments(self, entries: Iterable[AppointmentEntry]) -> None:
        """Appointments; one whose end is now earlier has ended by it."""
        tally = self.tallies.setdefault("appointments", Tally())
        session = self.act.session
        for batch in batches(entries):
            people = sorted({each.person for each in batch})
            query = sa.select(AppointmentRow).where(AppointmentRow.person.in_(people))
            rows = {(row.person, row.post, row.valid_from): row for row in session.scalars(query)}
            new = [each.model_dump() for each in batch if each.key not in rows]
            self._insert(AppointmentRow, new)
            self._gain({each.person for each in batch if each.key not in rows})
            tally.new += len(new)
            for each in batch:
                if (row := rows.get(each.key)) is not None:
                    self._appointment(row, each, tally)
            session.flush()
            session.expunge_all()

    def _post(self, row: PostRow, entry: PostEntry, before: set[str], tally: Tally) -> None:
        differing = alter(self.act, row, self.at, **entry.model_dump(exclude={"id", "roles"}))
        after = set(entry.roles)
        if before != after:
            if not differing:
                supersede(self.act, row, self.at)
            session = self.act.session
            session.execute(sa.delete(PostRole).where(PostRole.post == row.id))
            self._insert(PostRole, [{"post": row.id, "role": role} for role in sorted(after)])
            differing += (Difference(f"post:{row.id}", "roles", sorted(before), sorted(after)),)
            held = sa.select(AppointmentRow.person).where(
                AppointmentRow.post == row.id, AppointmentRow.person.in_(self.watched)
            )
            self.gaining |= set(session.scalars(held))
        self._count(tally, differing)
        self.act.session.flush()

    def _appointment(self, row: AppointmentRow, entry: AppointmentEntry, tally: Tally) -> None:
        if row.kind == "delegation" or (row.valid_to, row.kind) == (entry.valid_to, entry.kind):
            tally.untouched += 1
            return
        shortened = entry.valid_to is not None and (row.valid_to is None or entry.valid_to < row.valid_to)
        subject = f"appointment:{row.person}/{row.post}/{rfc3339(row.valid_from)}"
        self._tell((Difference(subject, "valid_to", row.valid_to, entry.valid_to),))
        if not shortened:
            self._gain({row.person})
        row.valid_to, row.kind = entry.valid_to, entry.kind
        tally.ended += shortened
        tally.changed += not shortened

    def _gain(self, people: AbstractSet[str]) -> None:
        self.gaining |= people & self.watched

    def _count(self, tally: Tally, differing: tuple[Difference, ...]) -> None:
        tally.changed += bool(differing)
        tally.untouched += not differing
        self._tell(differing)

    def _tell(self, differing: tuple[Difference, ...]) -> None:
        self.differences.extend(differing[: _TOLD - len(self.differences)])

    def _insert(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self.act.session.execute(sa.insert(table), list(rows))


def batches(entries: Iterable[_T]) -> Iterator[list[_T]]:
    """The entries, `BATCH` at a time."""
    source = iter(entries)
    while batch := list(islice(source, BATCH)):
        yield batch
