"""Who was what, when: superseded versions of organs, posts and people, and the tree of any time.

A change writes how the row was (`supersede`) in the act that changes it. How things are stands in the tables
themselves, so that the present is never looked for among the past.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.errors import NotThere
from authz.directory.models import PastRow, SuccessionRow
from authz.directory.records import Organ, Succession, Version
from authz.models import OrganRow, PersonRow, PostRole, PostRow
from yinxin.clock import rfc3339
from yinxin.store import Act
from yinxin.text import Text

Row = OrganRow | PostRow | PersonRow

_KINDS: dict[type[Any], str] = {OrganRow: "organ", PostRow: "post", PersonRow: "person"}
_FIELDS: dict[str, tuple[str, ...]] = {
    "organ": ("parent", "name_zh", "name_en", "short_name", "level", "division", "uscc", "line", "status"),
    "post": ("organ", "name_zh", "name_en"),
    "person": ("name", "clearance"),
}
#: no organ stands so deep; a tree of the past that went round in circles would be a fault of ours
_DEEPEST = 32


def supersede(act: Act, row: Row, at: datetime) -> None:
    """Keep how `row` is until now, before the caller changes it at `at`."""
    kind = _KINDS[type(row)]
    state = _state(act.session, row)
    act.session.add(
        PastRow(
            kind=kind,
            subject=row.id,
            since=row.since,
            until=at,
            above=state.get("parent" if kind == "organ" else "organ"),
            state=state,
            verb=act.verb,
            entry=act.id,
        )
    )
    row.since = at


def versions(session: Session, kind: str, subject: str) -> tuple[Version, ...]:
    """Every version of an organ, post or person, oldest first; empty when nobody knows it."""
    table = next(table for table, name in _KINDS.items() if name == kind)
    row = session.get(table, subject)
    if row is None:
        return ()
    query = sa.select(PastRow).where(PastRow.kind == kind, PastRow.subject == subject)
    before = session.scalars(query.order_by(PastRow.until, PastRow.number)).all()
    past = (Version(each.since, each.until, each.state, each.verb, each.entry) for each in before)
    return (*past, Version(row.since, None, _state(session, row), None, None))


def state_at(session: Session, kind: str, subject: str, at: datetime) -> Version:
    """The version of `at`; raises NotThere when there was none."""
    for version in versions(session, kind, subject):
        if (version.since is None or version.since <= at) and (version.until is None or at < version.until):
            return version
    raise NotThere(subject=f"{kind}:{subject}", at=rfc3339(at))


def path_at(session: Session, organ: str, at: datetime) -> tuple[str, ...]:
    """The organ and those above it in the tree of `at`, nearest first; raises NotThere."""
    path: list[str] = []
    above: str | None = organ
    while above is not None:
        if len(path) >= _DEEPEST:
            raise RuntimeError(f"the tree of {at.isoformat()} goes round in circles at {above}")
        path.append(above)
        above = state_at(session, "organ", above, at).state["parent"]
    return tuple(path)


def organ_at(session: Session, organ: str, at: datetime) -> Organ:
    """An organ as it was at `at`, with the tree of that time above it; raises NotThere."""
    state = state_at(session, "organ", organ, at).state
    return Organ(
        id=organ,
        parent=state["parent"],
        name=Text(state["name_zh"], state["name_en"]),
        short_name=state["short_name"],
        level=state["level"],
        division=state["division"],
        uscc=state["uscc"],
        path=path_at(session, organ, at),
        line=state["line"],
        status=state["status"],
    )


def place_at(session: Session, post: str, at: datetime) -> tuple[str, str]:
    """The organ that a post belonged to at `at`, and what it was called (Chinese).

    An appointment can be older than the post's entry in the directory: then it is told by the oldest that is known.
    """
    organ = str(_oldest_or_at(session, "post", post, at).state["organ"])
    return organ, str(_oldest_or_at(session, "organ", organ, at).state["name_zh"])


def _oldest_or_at(session: Session, kind: str, subject: str, at: datetime) -> Version:
    known = versions(session, kind, subject)
    for version in known:
        if version.until is None or at < version.until:
            return version
    raise NotThere(subject=f"{kind}:{subject}", at=rfc3339(at))


def under_at(session: Session, organ: str, at: datetime) -> tuple[str, ...]:
    """The organ and all below it in the tree of `at`, by identifier; raises NotThere."""
    state_at(session, "organ", organ, at)
    found, level = {organ}, {organ}
    while level:
        level = set(_children_at(session, level, at)) - found
        found |= level
    return tuple(sorted(found))


def successions(session: Session, organ: str) -> tuple[Succession, ...]:
    """What the organ came of and what came of it, oldest first."""
    involved = sa.or_(SuccessionRow.predecessor == organ, SuccessionRow.successor == organ)
    query = sa.select(SuccessionRow).where(involved)
    rows = session.scalars(
        query.order_by(SuccessionRow.at, SuccessionRow.predecessor, SuccessionRow.successor)
    )
    return tuple(Succession(row.predecessor, row.successor, row.at, row.how) for row in rows)


def _children_at(session: Session, parents: Iterable[str], at: datetime) -> Iterable[str]:
    wanted = list(parents)
    now = sa.select(OrganRow.id).where(
        OrganRow.parent.in_(wanted), sa.or_(OrganRow.since.is_(None), OrganRow.since <= at)
    )
    then = sa.select(PastRow.subject).where(
        PastRow.kind == "organ",
        PastRow.above.in_(wanted),
        sa.or_(PastRow.since.is_(None), PastRow.since <= at),
        PastRow.until > at,
    )
    yield from session.scalars(now)
    yield from session.scalars(then)


def _state(session: Session, row: Row) -> dict[str, Any]:
    kind = _KINDS[type(row)]
    state = {name: getattr(row, name) for name in _FIELDS[kind]}
    if isinstance(row, PostRow):
        roles = sa.select(PostRole.role).where(PostRole.post == row.id).order_by(PostRole.role)
        state["roles"] = list(session.scalars(roles))
        state["ended"] = rfc3339(row.ended) if row.ended else None
    if isinstance(row, PersonRow):
        state["retired"] = rfc3339(row.retired) if row.retired else None
    return state


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of an organ, post, person or appointment: what it was and what it is; None where it was not there."""

    subject: str
    field: str
    before: Any
    after: Any


def alter(act: Act, row: Row, at: datetime, **values: Any) -> tuple[Difference, ...]:
    """Give `row` these values at `at` and keep how it was; what differed. Nothing differing writes nothing."""
    subject = f"{_KINDS[type(row)]}:{row.id}"
    differing = tuple(
        Difference(subject, name, getattr(row, name), value)
        for name, value in values.items()
        if getattr(row, name) != value
    )
    if differing:
        supersede(act, row, at)
        for each in differing:
            setattr(row, each.field, each.after)
        act.session.flush()
    return differing


def entered(row: Row) -> Difference:
    """The difference that a new row makes."""
    return Difference(f"{_KINDS[type(row)]}:{row.id}", "*", None, row.id)
