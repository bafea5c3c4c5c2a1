"""Looking into the registers: seals, their bindings and their uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.tree import reached
from seal.errors import NoSealOfOrgan, SealUnknown, UseUnknown
from seal.models import BindingRow, SealRow, Sort, State, UseRow
from yinxin.authz import Resource
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.seal import Seal, read
from yinxin.store import Store


@dataclass(frozen=True)
class Binding:
    """A certificate that may use a seal; `key` is the label of its key, where that is in the key centre."""

    suite: str
    key: str | None
    certificate: Certificate


@dataclass(frozen=True)
class Registered:
    """A seal as the register has it."""

    id: str
    organ: str
    sort: Sort
    name: str
    holder: str | None
    keeper: str
    state: State
    der: bytes
    sha256: str
    valid_from: datetime
    valid_until: datetime
    created: datetime
    replaces: str | None
    changed: datetime
    reason: str | None
    bindings: tuple[Binding, ...]

    @cached_property
    def structure(self) -> Seal:
        """What its maker signed (GB/T 38540)."""
        return read(self.der)

    def resource(self, approval: str = "") -> Resource:
        """The seal as the policies see it; `approval` is the verb of the act that is cited for a use."""
        attributes = {
            "sort": self.sort.value,
            "keeper": self.keeper,
            "holder": self.holder or "",
            "approval": approval,
        }
        return Resource("Seal", self.id, organ=self.organ, attributes=attributes)

    def fields(self) -> dict[str, Any]:
        """What lists, files and commands tell of it."""
        return {
            "id": self.id,
            "organ": self.organ,
            "sort": self.sort.value,
            "name": self.name,
            "holder": self.holder,
            "keeper": self.keeper,
            "state": self.state.value,
            "reason": self.reason,
            "sha256": self.sha256,
            "valid_from": rfc3339(self.valid_from),
            "valid_until": rfc3339(self.valid_until),
            "created": rfc3339(self.created),
            "changed": rfc3339(self.changed),
            "replaces": self.replaces,
            "certificates": [each.certificate.fingerprint for each in self.bindings],
        }


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a seal."""

    id: str
    seal: str
    organ: str
    subject: str
    title: str
    approval: str
    approved_by: str
    impressions: int
    person: str
    post: str | None
    begun: datetime
    times: int
    left: int
    finished: datetime | None
    sha256: str | None
    sm3: str | None

    def fields(self) -> dict[str, Any]:
        """What lists, files and commands tell of it."""
        return {
            "id": self.id,
            "seal": self.seal,
            "organ": self.organ,
            "subject": self.subject,
            "title": self.title,
            "approval": self.approval,
            "approved_by": self.approved_by,
            "impressions": self.impressions,
            "person": self.person,
            "post": self.post,
            "begun": rfc3339(self.begun),
            "times": self.times,
            "finished": rfc3339(self.finished) if self.finished else None,
            "sha256": self.sha256,
            "sm3": self.sm3,
        }


#: columns of the register of uses as a table
USE_COLUMNS = (
    *("id", "seal", "organ", "subject", "title", "approval", "approved_by", "impressions"),
    *("person", "post", "begun", "times", "finished", "sha256", "sm3"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which seals; an empty condition is none. `organ` stands for itself and those below."""

    organ: str = ""
    state: str = ""
    sort: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class UseFilter:
    """Which uses; an empty condition is none. `organ` stands for itself and those below, `after`/`before` for when they were begun."""

    organ: str = ""
    seal: str = ""
    person: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def seal(store: Store, id_: str) -> Registered:
    """One seal; raises SealUnknown."""
    with store.read() as session:
        row = session.get(SealRow, id_)
        if row is None:
            raise SealUnknown(seal=id_[:80])
        return _registered([row], session)[0]


def of_organ(store: Store, organ: str) -> Registered:
    """The organ's own seal that is in use, the newest of them; raises NoSealOfOrgan."""
    query = (
        sa.select(SealRow)
        .where(SealRow.organ == organ, SealRow.sort == Sort.UNIT, SealRow.state == State.ACTIVE)
        .order_by(SealRow.id.desc())
        .limit(1)
    )
    with store.read() as session:
        row = session.scalars(query).first()
        if row is None:
            raise NoSealOfOrgan(organ=organ)
        return _registered([row], session)[0]


def search(store: Store, wanted: Filter, *, after: str = "", limit: int = 50) -> list[Registered]:
    """At most `limit` seals, the newest first, from the one after `after`."""
    query = sa.select(SealRow).order_by(SealRow.id.desc()).limit(limit)
    if wanted.organ:
        query = query.where(SealRow.organ.in_(_below(wanted.organ)))
    if wanted.name:
        query = query.where(SealRow.name.contains(wanted.name, autoescape=True))
    for column, value in ((SealRow.state, wanted.state), (SealRow.sort, wanted.sort)):
        query = query.where(column == value) if value else query
    with store.read() as session:
        return _registered(
            session.scalars(query.where(SealRow.id < after) if after else query).all(), session
        )


def use(store: Store, id_: str) -> Use:
    """One use; raises UseUnknown."""
    with store.read() as session:
        row = session.get(UseRow, id_)
        if row is None:
            raise UseUnknown(use=id_[:80])
        return used(row)


def uses(store: Store, wanted: UseFilter, *, after: str = "", limit: int = 50) -> list[Use]:
    """At most `limit` uses, the newest first, from the one after `after`."""
    query = sa.select(UseRow).order_by(UseRow.id.desc()).limit(limit)
    if wanted.organ:
        query = query.where(UseRow.organ.in_(_below(wanted.organ)))
    for column, value in (
        (UseRow.seal, wanted.seal),
        (UseRow.person, wanted.person),
        (UseRow.subject, wanted.subject),
    ):
        query = query.where(column == value) if value else query
    if wanted.since:
        query = query.where(UseRow.begun >= wanted.since)
    if wanted.until:
        query = query.where(UseRow.begun <= wanted.until)
    with store.read() as session:
        return [used(row) for row in session.scalars(query.where(UseRow.id < after) if after else query)]


def used(row: UseRow) -> Use:
    """A row as a value."""
    return Use(**{name: getattr(row, name) for name in Use.__slots__})


def _below(organ: str) -> sa.Select[str]:
    return reached(organ)


def _registered(rows: Sequence[SealRow], session: Session) -> list[Registered]:
    query = (
        sa.select(BindingRow)
        .where(BindingRow.seal.in_([row.id for row in rows]))
        .order_by(BindingRow.seal, BindingRow.suite, BindingRow.fingerprint)
    )
    bindings: dict[str, list[Binding]] = {}
    for each in session.scalars(query):
        found = Binding(each.suite, each.key, Certificate(each.certificate))
        bindings.setdefault(each.seal, []).append(found)
    return [Registered(**_columns(row), bindings=tuple(bindings.get(row.id, ()))) for row in rows]


def _columns(row: SealRow) -> Mapping[str, Any]:
    found = {column.key: getattr(row, column.key) for column in SealRow.__table__.columns}
    return found | {"sort": Sort(row.sort), "state": State(row.state)}
