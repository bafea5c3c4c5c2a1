"""What a directory file must fulfil by itself, before the database is asked."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from authz.directory.codes import check_division, check_uscc, check_within
from authz.directory.file import DirectoryFile, Entry, OrganEntry
from authz.errors import (
    BadIdentifier,
    BadPeriod,
    DuplicateRow,
    PowersMeetInPost,
    TreeCycle,
    UnknownReference,
)
from authz.roles import ROLES, powers
from yinxin.authz import PLATFORM

_Entry = TypeVar("_Entry", bound=Entry)

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def check_file(file: DirectoryFile) -> None:
    """Identifiers, codes, roles, periods, duplicates; raises a leaf of BadDirectory naming row and field."""
    for table, rows in (("organs", file.organs), ("posts", file.posts), ("people", file.people)):
        _identifiers(table, (row.id for row in rows))
    for row, organ in _rows("organs", file.organs):
        check_codes(row, organ)
    _unique("uscc", ((row, organ.uscc) for row, organ in _rows("organs", file.organs) if organ.uscc))
    for row, post in _rows("posts", file.posts):
        check_roles(row, post.roles)
    for row, appointment in _rows("appointments", file.appointments):
        if appointment.valid_to is not None and appointment.valid_to <= appointment.valid_from:
            raise BadPeriod(row=row)
    keys = ((row, str(entry.key)) for row, entry in _rows("appointments", file.appointments))
    _unique("person, post, valid_from", keys)


def check_identifier(row: str, value: str) -> None:
    """Small letters, digits and hyphens, and not the platform's own name; raises BadIdentifier."""
    if value == PLATFORM or not _IDENTIFIER.fullmatch(value):
        raise BadIdentifier(row=row, value=value)


def check_organ(row: str, organ: OrganEntry) -> None:
    """An organ by itself; raises BadIdentifier, BadDivision, BadUscc."""
    check_identifier(row, organ.id)
    check_codes(row, organ)


def check_codes(row: str, organ: OrganEntry) -> None:
    """Its codes have their form; raises BadDivision, BadUscc."""
    check_division(row, organ.level, organ.division)
    if organ.uscc is not None:
        check_uscc(row, organ.uscc)


def check_roles(row: str, roles: Sequence[str]) -> None:
    """Known roles, each once, and no two of the three powers; raises UnknownReference, DuplicateRow, PowersMeetInPost."""
    for role in roles:
        _refer(row, "roles", role, ROLES)
    _unique("roles", ((row, role) for role in roles))
    meeting = powers(frozenset(roles))
    if len(meeting) > 1:
        raise PowersMeetInPost(row=row, powers=", ".join(sorted(meeting)))


def check_references(
    file: DirectoryFile, organs: Iterable[str], posts: Iterable[str], people: Iterable[str]
) -> None:
    """Every name leads to a row of the file or to one already loaded; raises UnknownReference."""
    known_organs = {organ.id for organ in file.organs} | set(organs)
    known_posts = {post.id for post in file.posts} | set(posts)
    known_people = {person.id for person in file.people} | set(people)
    for row, organ in _rows("organs", file.organs):
        if organ.parent is not None:
            _refer(row, "parent", organ.parent, known_organs)
    for row, post in _rows("posts", file.posts):
        _refer(row, "organ", post.organ, known_organs)
    for row, appointment in _rows("appointments", file.appointments):
        _refer(row, "person", appointment.person, known_people)
        _refer(row, "post", appointment.post, known_posts)


def check_divisions(file: DirectoryFile, loaded: Mapping[str, tuple[str | None, str]]) -> None:
    """Every division lies within that of the organ above; `loaded` gives parent and division of what is there.

    Raises DivisionOutside.
    """
    rows = {organ.id: row for row, organ in _rows("organs", file.organs)}
    known = {**loaded, **{organ.id: (organ.parent, organ.division) for organ in file.organs}}
    for organ, (parent, division) in known.items():
        if parent is not None and (organ in rows or parent in rows):
            check_within(rows.get(organ) or rows[parent], division, parent, known[parent][1])


def ancestors(parents: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    """For each organ itself and the organs above it, nearest first; raises TreeCycle."""
    found: dict[str, tuple[str, ...]] = {}
    for organ in parents:
        path: list[str] = []
        at: str | None = organ
        while at is not None and at not in found:
            if at in path:
                raise TreeCycle(organ=at, path=" → ".join([*path[path.index(at) :], at]))
            path.append(at)
            at = parents[at]
        above = found[at] if at is not None else ()
        for below in reversed(path):
            found[below] = above = (below, *above)
    return found


def _identifiers(table: str, identifiers: Iterable[str]) -> None:
    numbered = [(f"{table}[{number}]", value) for number, value in enumerate(identifiers, 1)]
    for row, value in numbered:
        check_identifier(row, value)
    _unique("id", numbered)


def _unique(field: str, values: Iterable[tuple[str, str]]) -> None:
    seen: set[str] = set()
    for row, value in values:
        if value in seen:
            raise DuplicateRow(row=row, field=field, value=value)
        seen.add(value)


def _refer(row: str, field: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise UnknownReference(row=row, field=field, value=value)


def _rows(table: str, rows: Iterable[_Entry]) -> Iterator[tuple[str, _Entry]]:
    """Each entry under the name that an error gives it, counted from 1."""
    for number, entry in enumerate(rows, 1):
        yield f"{table}[{number}]", entry
