"""What the directory tells: plain values, read-only, free of the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yinxin.authz import Level
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ; `path` names it and the organs above it, nearest first.

    `line` is its line of business, if it has one; `status` is active, merged, split or dissolved; `tenant` is the tenant that it
    is or lies in, if any.
    """

    id: str
    parent: str | None
    name: Text
    short_name: str
    level: str
    division: str
    uscc: str | None
    path: tuple[str, ...]
    line: str | None = None
    status: str = "active"
    tenant: str | None = None

    @property
    def reach(self) -> tuple[str, ...]:
        """The organ and those above it whose authority reaches it, nearest first: above a tenant nobody's does."""
        if self.tenant is None:
            return self.path
        return self.path[: self.path.index(self.tenant) + 1]


@dataclass(frozen=True, slots=True)
class Person:
    """A person; `retired` is when she left the service, if she did."""

    id: str
    name: str
    clearance: Level
    retired: datetime | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A post of an organ, with its roles; `ended` is when it was given up, if it was."""

    id: str
    organ: str
    name: Text
    roles: frozenset[str]
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """A person in a post, from `valid_from` until before `valid_to`.

    `kind` is substantive, acting or delegation (then `delegation` names it); `ended` is how it ended before its time.
    """

    person: str
    post: str
    valid_from: datetime
    valid_to: datetime | None
    kind: str = "substantive"
    delegation: str | None = None
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a post now."""

    person: Person
    post: Post


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything a decision rests on about a person acting in a post: `powers` over all posts held at that time.

    Who acts by a delegation alone has its identifier here, and in `actions` what it is limited to (None: nothing).
    """

    person: Person
    post: Post
    organ: Organ
    powers: frozenset[str]
    appointed: bool
    delegation: str | None = None
    actions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """How an organ, post or person was from `since` (None: from the first) until before `until` (None: it still is).

    `verb` and `entry` name the act that ended this version.
    """

    since: datetime | None
    until: datetime | None
    state: Mapping[str, Any]
    verb: str | None
    entry: str | None


@dataclass(frozen=True, slots=True)
class Succession:
    """One organ came of another: `how` is merged or split."""

    predecessor: str
    successor: str
    at: datetime
    how: str


@dataclass(frozen=True, slots=True)
class Line:
    """An organ's place in its line of business 条线: the nearest organ of the line above it, and those below."""

    above: str | None
    below: tuple[str, ...]
