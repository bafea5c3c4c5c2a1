"""What a directory file must fulfil by itself, before the database is asked."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from authz.directory.file import DirectoryFile, Entry, OrganEntry, PostEntry
from authz.errors import (
    BadDivision,
    BadIdentifier,
    BadPeriod,
    BadUscc,
    DuplicateRow,
    PowersMeetInPost,
    TreeCycle,
    UnknownReference,
)
from authz.roles import ROLES, powers
from yinxin.authz import PLATFORM

_Entry = TypeVar("_Entry", bound=Entry)

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DIVISION = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}")
#: GB 32100-2015: digits and capitals without I, O, S, V, Z
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check_file(file: DirectoryFile) -> None:
    """Identifiers, codes, roles, periods, duplicates; raises a leaf of BadDirectory naming row and field."""
    for table, rows in (("organs", file.organs), ("posts", file.posts), ("people", file.people)):
        _identifiers(table, (row.id for row in rows))
    for row, organ in _rows("organs", file.organs):
        _organ(row, organ)
    _unique("uscc", ((row, organ.uscc) for row, organ in _rows("organs", file.organs) if organ.uscc))
    for row, post in _rows("posts", file.posts):
        _post(row, post)
    for row, appointment in _rows("appointments", file.appointments):
        if appointment.valid_to is not None and appointment.valid_to <= appointment.valid_from:
            raise BadPeriod(row=row)
    keys = ((row, str(entry.key)) for row, entry in _rows("appointments", file.appointments))
    _unique("person, post, valid_from", keys)


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


def _organ(row: str, organ: OrganEntry) -> None:
    if not _DIVISION.fullmatch(organ.division):
        raise BadDivision(row=row, value=organ.division)
    if organ.uscc is not None:
        _uscc(row, organ.uscc)


def _uscc(row: str, code: str) -> None:
    """GB 32100-2015 5.3: weights 3^i mod 31 over the first 17 characters."""
    if len(code) != 18 or any(character not in _USCC_ALPHABET for character in code):
        raise BadUscc(row=row, value=code)
    total = sum(_USCC_ALPHABET.index(character) * 3**place for place, character in enumerate(code[:17]))
    if _USCC_ALPHABET[(31 - total % 31) % 31] != code[17]:
        raise BadUscc(row=row, value=code)


def _post(row: str, post: PostEntry) -> None:
    for role in post.roles:
        _refer(row, "roles", role, ROLES)
    _unique("roles", ((row, role) for role in post.roles))
    meeting = powers(frozenset(post.roles))
    if len(meeting) > 1:
        raise PowersMeetInPost(row=row, powers=", ".join(sorted(meeting)))


def _identifiers(table: str, identifiers: Iterable[str]) -> None:
    numbered = [(f"{table}[{number}]", value) for number, value in enumerate(identifiers, 1)]
    for row, value in numbered:
        if value == PLATFORM or not _IDENTIFIER.fullmatch(value):
            raise BadIdentifier(row=row, value=value)
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
