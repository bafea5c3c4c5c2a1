"""Questions to the log: which entries, and one entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.models import EntryRow
from yinxin import canonical


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log: its index, its columns, and the event's canonical bytes that were hashed."""

    index: int
    event: str
    time: datetime
    verb: str
    subject: str
    actor: str
    outcome: str
    request: str | None
    data: bytes

    def fields(self) -> dict[str, Any]:
        """The whole event."""
        fields: dict[str, Any] = canonical.decode(self.data)
        return fields


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; every given part must match exactly, except `verb`, which may be a module's name with a dot (`ca.`)."""

    verb: str | None = None
    subject: str | None = None
    actor: str | None = None
    outcome: str | None = None
    request: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def fields(self) -> dict[str, str]:
        """The given parts as text, for the record of the question."""
        given = {name: getattr(self, name) for name in self.__slots__}
        return {name: str(value) for name, value in given.items() if value is not None}

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The given parts as conditions on `audit_entry`; times are [since, until)."""
        found = [
            getattr(EntryRow, name) == getattr(self, name)
            for name in ("subject", "actor", "outcome", "request")
            if getattr(self, name) is not None
        ]
        if self.verb is not None:
            found.append(
                EntryRow.verb.startswith(self.verb, autoescape=True)
                if self.verb.endswith(".")
                else EntryRow.verb == self.verb
            )
        if self.since is not None:
            found.append(EntryRow.time >= self.since)
        if self.until is not None:
            found.append(EntryRow.time < self.until)
        return found


def search(session: Session, filters: Filters, before: int | None, limit: int) -> tuple[Entry, ...]:
    """Up to `limit` matching entries, newest first, below the index `before`."""
    query = sa.select(EntryRow).where(*filters.conditions()).order_by(EntryRow.index.desc()).limit(limit)
    if before is not None:
        query = query.where(EntryRow.index < before)
    return tuple(entry_of(row) for row in session.scalars(query))


def find(session: Session, event: str) -> Entry | None:
    """The entry of an event's identifier."""
    row = session.scalars(sa.select(EntryRow).where(EntryRow.event == event)).first()
    return entry_of(row) if row else None


def entry_of(row: EntryRow) -> Entry:
    """A row as a value."""
    return Entry(
        index=row.index,
        event=row.event,
        time=row.time,
        verb=row.verb,
        subject=row.subject,
        actor=row.actor,
        outcome=row.outcome,
        request=row.request,
        data=row.data,
    )
