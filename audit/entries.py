"""Questions to the log: which entries, and one entry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Self, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.index.terms import Facet, objects_of, term
from audit.models import EntryRow
from audit.personal.opened import MARK, Beside, PersonalField, beside, opened
from yinxin import canonical
from yinxin.act import Kind, Outcome
from yinxin.clock import parse_rfc3339, rfc3339
from yinxin.store import Sql, Within

#: entries read by one statement
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log: its index, its columns, and the event's canonical bytes that were hashed.

    `beside` is what opens its personal fields, or says that they were erased.
    """

    index: int
    event: str
    time: datetime
    verb: str
    subject: str
    actor: str
    outcome: str
    request: str | None
    data: bytes
    beside: Beside = field(default_factory=dict)

    @property
    def sealed(self) -> bool:
        """Whether its content has left for an archive."""
        return not self.data

    def fields(self) -> dict[str, Any]:
        """The whole event; of one whose content stands in an archive, what the log keeps of it."""
        if self.sealed:
            actor = {"kind": Kind.SYSTEM.value, "id": ""}
            kept = {"id": self.event, "time": rfc3339(self.time), "verb": self.verb, "outcome": self.outcome}
            return kept | {"subject": "", "actor": actor, "sealed": True}
        fields: dict[str, Any] = canonical.decode(self.data)
        return fields

    def personal(self) -> tuple[PersonalField, ...]:
        """Its personal fields, by name, each held against the leaf; none of one whose content stands in an archive."""
        return opened(self.fields(), self.beside) if MARK in self.data else ()

    def objects(self) -> frozenset[str]:
        """Everything that the event names, what was acted on among it."""
        return objects_of(self.fields())


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; every given part must match exactly, except `verb`, which may be a module's name with a dot (`ca.`).

    `actor` acted; `person` acted or was acted upon; `organ` is the actor's own, `under` its own or one below that;
    `subject` was acted on, `object` was acted on or is named by the record; `kind` is what comes before the subject's
    colon. Times are [since, until).
    """

    verb: str | None = None
    subject: str | None = None
    actor: str | None = None
    outcome: str | None = None
    request: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    post: str | None = None
    organ: str | None = None
    under: str | None = None
    person: str | None = None
    object: str | None = None
    kind: str | None = None
    error: str | None = None

    def fields(self) -> dict[str, str]:
        """The given parts as text, for the record of the question and to keep it."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: rfc3339(value) if isinstance(value, datetime) else value
            for name, value in given.items()
            if value is not None
        }

    @classmethod
    def of(cls, given: dict[str, str]) -> Self:
        """The filters that `fields` wrote."""
        times: dict[str, Any] = {
            name: parse_rfc3339(given[name]) for name in ("since", "until") if name in given
        }
        return cls(**{**given, **times})

    def within(self, since: datetime | None, until: datetime | None) -> Self:
        """The same within a span of time besides."""
        begin = max(filter(None, (self.since, since)), default=None)
        end = min(filter(None, (self.until, until)), default=None)
        return replace(self, since=begin, until=end)

    def groups(self, organs: Sequence[str] = ()) -> list[tuple[int, ...]]:
        """The index terms of the given parts: of each group an entry has at least one. `organs` are those of `under`."""
        single = {
            Facet.ACTOR: self.actor,
            Facet.POST: self.post,
            Facet.ORGAN: self.organ,
            Facet.KIND: self.kind,
            Facet.ERROR: self.error,
            Facet.REQUEST: self.request,
            Facet.OUTCOME: None if self.outcome == Outcome.DONE else self.outcome,
        }
        found: list[tuple[int, ...]] = [
            (term(facet, value),) for facet, value in single.items() if value is not None
        ]
        found += [(term(Facet.OBJECT, each),) for each in (self.subject, self.object) if each is not None]
        if self.verb is not None:
            module = self.verb.endswith(".")
            found.append((term(Facet.MODULE, self.verb[:-1]) if module else term(Facet.VERB, self.verb),))
        if self.person is not None:
            found.append((term(Facet.ACTOR, self.person), term(Facet.OBJECT, f"person:{self.person}")))
        if self.under is not None:
            found.append(tuple(term(Facet.ORGAN, each) for each in organs))
        return list(dict.fromkeys(found))

    def residue(self) -> list[sa.ColumnElement[bool]]:
        """What the index does not tell, as conditions on `audit_entry`."""
        found: list[sa.ColumnElement[bool]] = []
        if self.outcome == Outcome.DONE:
            found.append(EntryRow.outcome == self.outcome)
        if self.subject is not None:
            width = EntryRow.__table__.c.subject.type.length  # type: ignore[attr-defined]
            found.append(EntryRow.subject == self.subject.replace("\0", "\N{REPLACEMENT CHARACTER}")[:width])
        if self.since is not None:
            found.append(EntryRow.time >= self.since)
        if self.until is not None:
            found.append(EntryRow.time < self.until)
        return found


_ENTRY = cast("sa.Table", EntryRow.__table__).c
_LEAF = Sql(sa.select(_ENTRY.index, _ENTRY.data).where(_ENTRY.event == sa.bindparam("of")))


def leaf(within: Within, event: str) -> tuple[int, bytes] | None:
    """The index and the octets of the entry of an event's identifier; none where they have left for an archive."""
    row = _LEAF.first(within, {"of": event})
    return None if row is None else (row.index, row.data)


def find(session: Session, event: str) -> Entry | None:
    """The entry of an event's identifier."""
    row = session.scalars(sa.select(EntryRow).where(EntryRow.event == event)).first()
    return next(iter(_entries(session, [row]))) if row else None


def at(session: Session, indexes: Sequence[int]) -> Iterator[Entry]:
    """The entries at these indexes, in this order; read some at a time, for a statement takes only so many values."""
    for begin in range(0, len(indexes), _AT_ONCE):
        wanted = indexes[begin : begin + _AT_ONCE]
        rows = session.scalars(sa.select(EntryRow).where(EntryRow.index.in_(wanted))).all()
        found = {entry.index: entry for entry in _entries(session, rows)}
        session.expunge_all()
        yield from (found[index] for index in wanted)


def _entries(session: Session, rows: Sequence[EntryRow]) -> Iterator[Entry]:
    """Rows as values, with what stands beside them."""
    there = beside(session, [row.index for row in rows if MARK in row.data])
    for row in rows:
        yield Entry(
            index=row.index,
            event=row.event,
            time=row.time,
            verb=row.verb,
            subject=row.subject,
            actor=row.actor,
            outcome=row.outcome,
            request=row.request,
            data=row.data,
            beside=there.get(row.index, {}),
        )
