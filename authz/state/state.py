"""What a process knows of people, organs, grants and policies, and how it knows that it is still so.

Before it decides, a process reads one number (`authz.state.models`). What it looked up under that number holds as long
as the number does, and, of a person, until the next moment at which an appointment or a grant of hers begins or ends.
What is looked up is looked up in a transaction in which the number is the same; so a decision never mixes two states.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from authz.directory import Standing
from authz.directory.look import reach, standings
from authz.grant.look import holders
from authz.grant.models import GrantRow
from authz.grant.records import Grant
from authz.models import AppointmentRow, OrganClosure, OrganRow
from authz.state.models import StateRow
from authz.version import InForce, Versions
from yinxin.authz import PLATFORM
from yinxin.premise import Outdated
from yinxin.store import Instant, Sql, Store, StoreUnavailable, Within

#: people in posts, organs, organs with all below them, and prepared questions that a process keeps; when there are
#: more it begins anew
_KEEP_PEOPLE, _KEEP_ORGANS, _KEEP_TREES, _KEEP_PREPARED = 20_000, 50_000, 1_000, 10_000
#: how often the state may change while something is looked up, before that is given up
_TRIES = 20
#: people looked up at once
_CHUNK = 1000
_NUMBER = "SELECT number FROM authz_state"
_READ = Sql(sa.select(cast("sa.Table", StateRow.__table__).c.number))

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Acting:
    """A person in a post from `since` until before `until`: the standing, None for a name that is unknown, and grants."""

    standing: Standing | None
    grants: tuple[Grant, ...]
    since: datetime
    until: datetime | None

    def links(self, version: InForce, action: str) -> tuple[Mapping[str, Any], ...]:
        """The grants that bear on the action, as decisions see them."""
        templates = version.policies.templates
        return tuple(
            each.link()
            for each in self.grants
            if each.template in templates and action in templates[each.template].actions
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What was looked up while the state had one number."""

    number: int
    version: InForce
    people: dict[Pair, Acting] = field(default_factory=dict)
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    trees: dict[str, Sequence[str]] = field(default_factory=dict)
    prepared: dict[tuple[Any, ...], tuple[Acting, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What one question, or several at once, rest on: all of one state, at one moment.

    `paths` are the organs asked for, each with those above it whose authority reaches it, nearest first; empty for an unknown one.
    """

    number: int
    version: InForce
    people: Mapping[Pair, Acting]
    paths: Mapping[str, tuple[str, ...]]
    #: organs with all below them, and what others prepared, of the same state
    trees: dict[str, Sequence[str]]
    prepared: dict[tuple[Any, ...], tuple[Acting, Any]]

    def keep(self, key: tuple[Any, ...], prepared: tuple[Acting, Any]) -> None:
        """Keep what was prepared of somebody while the state holds."""
        if len(self.prepared) >= _KEEP_PREPARED:
            self.prepared.clear()
        self.prepared[key] = prepared


@dataclass(frozen=True, slots=True)
class AtNumber:
    """The state with this number (`yinxin.premise.Premise`)."""

    number: int

    @classmethod
    def of(cls, within: Within) -> Self:
        """The state as it is in this transaction."""
        return cls(_READ.scalars(within, {})[0])

    def hold(self, within: Within, now: datetime) -> None:  # noqa: ARG002 - the protocol's signature
        """Raise Outdated when the state has changed, or its number is gone."""
        if _READ.scalars(within, {}) != [self.number]:
            raise Outdated


def number_now(store: Store) -> int:
    """The number as it is now; raises StoreUnavailable where there is none."""
    number = store.glance(_NUMBER)
    if number is None:  # whoever emptied the table would stop what was revoked from being noticed
        raise StoreUnavailable
    return int(number)


class Moved(Exception):
    """The state changed while it was looked at."""


class State:
    """The state as this process knows it, shared by its threads."""

    def __init__(self, store: Store, versions: Versions) -> None:
        self._store = store
        self._versions = versions
        self._known: _Known | None = None

    def version(self) -> InForce:
        """The policies in force now."""
        return self._current().version

    def facts(self, pairs: Collection[Pair], organs: Collection[str]) -> Facts:
        """What is known now of these people in posts (by identifier) and organs; raises StoreUnavailable."""
        now = self._store.clock.now()
        for _ in range(_TRIES):
            known = self._current()
            people = {pair: found for pair in pairs if (found := _in_time(known.people.get(pair), now))}
            paths = {organ: known.paths[organ] for organ in organs if organ in known.paths}
            if len(people) < len(pairs) or len(paths) < len(organs):
                with self._store.read() as session:
                    if session.scalar(sa.select(StateRow.number)) != known.number:
                        continue
                    people |= _people(session, [each for each in pairs if each not in people], now)
                    paths |= {each: _path(session, each) for each in organs if each not in paths}
                _remember(known.people, people, _KEEP_PEOPLE)
                _remember(known.paths, paths, _KEEP_ORGANS)
            return Facts(known.number, known.version, people, paths, known.trees, known.prepared)
        raise StoreUnavailable

    def below(self, facts: Facts, organs: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Each organ with all below it, of the state of `facts`; raises Moved when that is over."""
        found = {each: facts.trees[each] for each in organs if each in facts.trees}
        if missing := [each for each in organs if each not in found]:
            looked: dict[str, list[str]] = {each: [PLATFORM] if each == PLATFORM else [] for each in missing}
            with self._store.read() as session:
                if session.scalar(sa.select(StateRow.number)) != facts.number:
                    raise Moved
                for ancestor, organ in session.connection().execute(_BELOW, {"organs": sorted(missing)}):
                    looked[ancestor].append(organ)
            _remember(facts.trees, looked, _KEEP_TREES)
            found |= looked
        return found

    def _current(self) -> _Known:
        number = self._number()
        known = self._known
        if known is None or known.number != number:
            for _ in range(_TRIES):
                known = _Known(number, self._versions.current())
                if (number := self._number()) == known.number:
                    break
            else:
                raise StoreUnavailable
            self._known = known
        return known

    def _number(self) -> int:
        return number_now(self._store)


def _in_time(acting: Acting | None, now: datetime) -> Acting | None:
    if acting is None or now < acting.since or (acting.until is not None and acting.until <= now):
        return None
    return acting


def _remember(kept: dict[Any, Any], found: Mapping[Any, Any], limit: int) -> None:
    if len(kept) + len(found) > limit:
        kept.clear()
    kept.update(found)


def _path(session: Session, organ: str) -> tuple[str, ...]:
    return (PLATFORM,) if organ == PLATFORM else reach(session, organ)


def _people(session: Session, pairs: list[Pair], now: datetime) -> dict[Pair, Acting]:
    found: dict[Pair, Acting] = {}
    for start in range(0, len(pairs), _CHUNK):
        some = pairs[start : start + _CHUNK]
        known = standings(session, some, now)
        moments = _appointed(session, {person for person, _ in some}, now)
        granted = _granted(session, {each for standing in known.values() for each in holders(standing)}, now)
        for pair in some:
            standing = known.get(pair)
            held = (
                [] if standing is None else [g for each in holders(standing) for g in granted.get(each, ())]
            )
            edges = [
                *moments.get(pair[0], ()),
                *(edge for each in held for edge in (each.valid_from, each.valid_to) if edge > now),
            ]
            in_force = sorted((each for each in held if each.valid_from <= now), key=lambda each: each.id)
            found[pair] = Acting(standing, tuple(in_force), now, min(edges, default=None))
    return found


_AT: sa.BindParameter[datetime] = sa.bindparam("at", type_=Instant())
_EDGES = sa.select(AppointmentRow.person, AppointmentRow.valid_from, AppointmentRow.valid_to).where(
    AppointmentRow.person.in_(sa.bindparam("people", expanding=True)),
    sa.or_(AppointmentRow.valid_to.is_(None), AppointmentRow.valid_to > _AT),
)
_GRANTS = sa.select(GrantRow).where(
    GrantRow.holder.in_(sa.bindparam("holders", expanding=True)),
    GrantRow.valid_to > _AT,
    GrantRow.revoked_at.is_(None),
)


_TOP = aliased(OrganRow)
_BELOW = (
    sa.select(OrganClosure.ancestor, OrganClosure.organ)
    .join(OrganRow, OrganRow.id == OrganClosure.organ)
    .join(_TOP, _TOP.id == OrganClosure.ancestor)
    .where(
        OrganClosure.ancestor.in_(sa.bindparam("organs", expanding=True)),
        OrganRow.tenant.is_not_distinct_from(_TOP.tenant),
    )
)


def _appointed(session: Session, people: set[str], now: datetime) -> dict[str, list[datetime]]:
    """The moments to come at which an appointment of each begins or ends."""
    moments: dict[str, list[datetime]] = {}
    for person, *edges in session.execute(_EDGES, {"people": sorted(people), "at": now}):
        moments.setdefault(person, []).extend(edge for edge in edges if edge is not None and edge > now)
    return moments


def _granted(session: Session, to: set[str], now: datetime) -> dict[str, list[Grant]]:
    """The grants that are not over, those to come too, by holder."""
    granted: dict[str, list[Grant]] = {}
    if to:
        for row in session.execute(_GRANTS, {"holders": sorted(to), "at": now}).scalars():
            granted.setdefault(row.holder, []).append(Grant.of(row))
    return granted
