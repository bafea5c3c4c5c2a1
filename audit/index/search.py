"""Which entries a question means, newest first: by the term that fewest entries have, the others looked up for each.

What a page costs depends on the page and on the rarest part of the question, not on the length of the log: every
statement seeks in a primary key, and none reads a table from end to end (`tests/audit/test_search.py`).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from audit.entries import Entry, Filters, at
from audit.index.index import window
from audit.index.models import PostingRow
from audit.index.terms import terms_of
from audit.models import EntryRow
from audit.part import WHOLE, Part

#: terms of one group that are looked up in the database; a larger one is the driver, or is held against each entry read
_FEW = 8
#: how far terms are counted to tell which is rare; beyond it they are all frequent
_COUNTED = 2000
#: parts of one compound statement (SQLite takes 500)
_PARTS = 100
#: entries read at a time where each is looked at
_CHUNK = 200

Group = tuple[int, ...]


def search(  # noqa: PLR0917 - the parts of one question
    session: Session,
    filters: Filters,
    before: int | None,
    limit: int,
    organs: Sequence[str] = (),
    part: Part = WHOLE,
) -> tuple[Entry, ...]:
    """Up to `limit` matching entries of a part of the log, newest first, below the index `before`. The index must be current."""
    first, end = window(session, filters.since, filters.until)
    end = end if before is None else min(before, end)
    groups = list(dict.fromkeys((*filters.groups(organs), *filter(None, (part.group,)))))
    if any(not group for group in groups):
        return ()
    driver, others = _driver(session, groups, first, end)
    large = [group for group in others if len(group) > _FEW]
    small = [group for group in others if len(group) <= _FEW]
    found: list[Entry] = []
    while len(found) < limit and first < end:
        wanted = _CHUNK if large or part.without else limit - len(found)
        indexes = _indexes(session, driver, small, filters.residue(), (first, end), wanted)
        found += [entry for entry in at(session, indexes) if _has(entry, large, part)]
        if len(indexes) < wanted:
            break
        end = indexes[-1]
    return tuple(found[:limit])


def _has(entry: Entry, groups: Sequence[Group], part: Part) -> bool:
    if part.without and not part.has(entry.fields()):
        return False
    terms = terms_of(entry.fields()) if groups else frozenset()
    return all(not terms.isdisjoint(group) for group in groups)


def _driver(session: Session, groups: Sequence[Group], first: int, end: int) -> tuple[Group, Sequence[Group]]:
    """The group to go by, and the rest: the rarest small one, or the large one where none is rare."""
    if len(groups) < 2:
        return (groups[0] if groups else ()), ()
    counts = {group: _count(session, group, first, end) for group in groups if len(group) <= _FEW}
    rarest = min(counts, key=lambda group: counts[group], default=None)
    large = next((group for group in groups if len(group) > _FEW), None)
    if rarest is None or (large is not None and counts[rarest] > _COUNTED):
        assert large is not None  # noqa: S101 - there are groups, and none is small, or one is large
        rarest = large
    return rarest, [group for group in groups if group != rarest]


def _count(session: Session, group: Group, first: int, end: int) -> int:
    """How many entries have a term of the group, counted so far as it matters."""
    total = 0
    for term in group:
        some = (
            sa.select(PostingRow.index)
            .where(PostingRow.term == term, PostingRow.index >= first, PostingRow.index < end)
            .limit(_COUNTED + 1)
            .subquery()
        )
        total += session.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    return total


def _indexes(  # noqa: PLR0917 - the parts of one question
    session: Session,
    driver: Group,
    others: Sequence[Group],
    residue: Sequence[sa.ColumnElement[bool]],
    bounds: tuple[int, int],
    limit: int,
) -> list[int]:
    """The newest indexes within bounds that satisfy everything, newest first."""
    if not driver:
        query = sa.select(EntryRow.index).where(
            EntryRow.index >= bounds[0], EntryRow.index < bounds[1], *residue
        )
        return list(session.scalars(query.order_by(EntryRow.index.desc()).limit(limit)))
    parts = [_part(term, others, residue, bounds).limit(limit) for term in driver]
    if len(parts) == 1:
        return list(session.scalars(parts[0]))
    found: set[int] = set()
    for begin in range(0, len(parts), _PARTS):
        several = [sa.select(part.subquery().c.index) for part in parts[begin : begin + _PARTS]]
        found.update(session.scalars(sa.union_all(*several)))
    return sorted(found, reverse=True)[:limit]


def _part(
    term: int,
    others: Sequence[Group],
    residue: Sequence[sa.ColumnElement[bool]],
    bounds: tuple[int, int],
) -> sa.Select[int]:
    """One term's indexes that satisfy the rest, newest first."""
    query = sa.select(PostingRow.index).where(
        PostingRow.term == term, PostingRow.index >= bounds[0], PostingRow.index < bounds[1]
    )
    for group in others:
        other = aliased(PostingRow)
        query = query.where(sa.exists().where(other.term.in_(group), other.index == PostingRow.index))
    if residue:
        query = query.join(EntryRow, EntryRow.index == PostingRow.index).where(*residue)
    return query.order_by(PostingRow.index.desc())
