"""What the directory tells: plain values, read-only, free of the database."""

from dataclasses import dataclass
from datetime import datetime

from yinxin.authz import Level
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ; `path` names it and the organs above it, nearest first."""

    id: str
    parent: str | None
    name: Text
    short_name: str
    level: str
    division: str
    uscc: str | None
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A person."""

    id: str
    name: str
    clearance: Level


@dataclass(frozen=True, slots=True)
class Post:
    """A post of an organ, with its roles."""

    id: str
    organ: str
    name: Text
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Appointment:
    """A person in a post, from `valid_from` until before `valid_to`."""

    person: str
    post: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a post now."""

    person: Person
    post: Post


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything a decision rests on about a person acting in a post: `powers` over all posts held at that time."""

    person: Person
    post: Post
    organ: Organ
    powers: frozenset[str]
    appointed: bool
