"""The directory: loaded from a file, then asked."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.file import DirectoryFile
from authz.directory.find import Found, find
from authz.directory.line import line_of
from authz.directory.load import Loaded, load
from authz.directory.look import (
    appointment,
    in_force,
    organ,
    organ_on_record,
    organs,
    person,
    post,
    posts,
    standing,
    standings,
)
from authz.directory.past import organ_at, place_at, successions, under_at, versions
from authz.directory.records import (
    Appointment,
    Holder,
    Line,
    Organ,
    Person,
    Post,
    Standing,
    Succession,
    Version,
)
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from yinxin.act import Actor
from yinxin.crypto.suite import INTL
from yinxin.store import Store


class Directory:
    """Organs, posts, people and appointments of this site. Look-ups raise UnknownOrgan, UnknownPerson, UnknownPost."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, actor: Actor, data: DirectoryFile) -> Loaded:
        """Load a file, whole or not at all; raises a leaf of BadDirectory. Safe to repeat."""
        digest = INTL.hash.digest(data.model_dump_json().encode()).hex()
        with self._store.act(actor, "authz.load", "directory", file=digest) as act:
            loaded = load(act, data, self._store.clock.now())
            act.facts |= asdict(loaded)
        return loaded

    def organ(self, id: str) -> Organ:  # noqa: A002 - the field's name
        """One organ."""
        with self._store.look() as look:
            return organ_on_record(look, id)

    def organ_at(self, id: str, at: datetime) -> Organ:  # noqa: A002 - the field's name
        """One organ as it was at `at`, with the tree of that time above it; raises UnknownOrgan, NotThere."""
        with self._store.read() as session:
            organ(session, id)
            return organ_at(session, id, at)

    def under_at(self, id: str, at: datetime) -> tuple[str, ...]:  # noqa: A002 - the field's name
        """The organ and all below it in the tree of `at`, by identifier; raises UnknownOrgan, NotThere."""
        with self._store.read() as session:
            organ(session, id)
            return under_at(session, id, at)

    def history(self, kind: Literal["organ", "post", "person"], id: str) -> tuple[Version, ...]:  # noqa: A002 - the field's name
        """Every version, oldest first; raises UnknownOrgan, UnknownPost, UnknownPerson."""
        with self._store.read() as session:
            {"organ": organ, "post": post, "person": person}[kind](session, id)
            return versions(session, kind, id)

    def successions(self, id: str) -> tuple[Succession, ...]:  # noqa: A002 - the field's name
        """What an organ came of and what came of it, oldest first."""
        with self._store.read() as session:
            organ(session, id)
            return successions(session, id)

    def line_of(self, id: str) -> Line:  # noqa: A002 - the field's name
        """The organs of the same line of business up and down the tree; empty for an organ of no line."""
        with self._store.read() as session:
            return line_of(session, organ(session, id))

    def organs(
        self,
        *,
        under: str | None = None,
        after: str = "",
        limit: int = 100,
        level: str | None = None,
        line: str | None = None,
        status: str | None = None,
        name: str | None = None,
    ) -> tuple[Organ, ...]:
        """Organs by identifier, from the one after `after`; with `under`, that organ and all below it.

        `name` is a part of the identifier or of either name; the others must be exactly so.
        """
        exact = {"level": level, "line": line, "status": status}
        where = [getattr(OrganRow, field) == value for field, value in exact.items() if value]
        if name:
            fields = (OrganRow.id, OrganRow.name_zh, OrganRow.name_en)
            where.append(sa.or_(*(field.contains(name, autoescape=True) for field in fields)))
        with self._store.read() as session:
            return organs(session, under=under, after=after, limit=limit, where=where)

    def find(self, text: str, *, limit: int = 20) -> tuple[Found, ...]:
        """People, posts and organs of that name or identifier, or a part of it, `limit` of each kind."""
        with self._store.read() as session:
            return find(session, text, limit)

    def person(self, id: str) -> Person:  # noqa: A002 - the field's name
        """One person."""
        with self._store.read() as session:
            return person(session, id)

    def people(self, *, after: str = "", limit: int = 100) -> tuple[Person, ...]:
        """People by identifier, from the one after `after`."""
        query = sa.select(PersonRow.id).where(PersonRow.id > after).order_by(PersonRow.id).limit(limit)
        with self._store.read() as session:
            return tuple(person(session, found) for found in session.scalars(query))

    def post(self, id: str) -> Post:  # noqa: A002 - the field's name
        """One post."""
        with self._store.read() as session:
            return post(session, id)

    def posts(self, organ: str) -> tuple[Post, ...]:
        """The posts of one organ."""
        with self._store.read() as session:
            return posts(session, sa.select(PostRow.id).where(PostRow.organ == organ))

    def appointments_of(self, person: str, at: datetime | None = None) -> tuple[Appointment, ...]:
        """Appointments of a person; with `at`, those in force then."""
        query = sa.select(AppointmentRow).where(AppointmentRow.person == person)
        if at is not None:
            query = query.where(in_force(at))
        with self._store.read() as session:
            rows = session.scalars(query.order_by(AppointmentRow.valid_from, AppointmentRow.post))
            return tuple(appointment(row) for row in rows)

    def holders(self, post: str, at: datetime | None = None) -> tuple[Appointment, ...]:
        """Who holds the post, now or at `at`, and by which kind of appointment."""
        query = sa.select(AppointmentRow).where(
            AppointmentRow.post == post, in_force(at or self._store.clock.now())
        )
        with self._store.read() as session:
            rows = session.scalars(query.order_by(AppointmentRow.person, AppointmentRow.valid_from))
            return tuple(appointment(row) for row in rows)

    def career(self, id: str) -> tuple[tuple[Appointment, str, str], ...]:  # noqa: A002 - the field's name
        """Every appointment of a person, with the post's organ and that organ's name (Chinese) when it began."""
        with self._store.read() as session:
            person(session, id)
            query = sa.select(AppointmentRow).where(AppointmentRow.person == id)
            rows = session.scalars(query.order_by(AppointmentRow.valid_from, AppointmentRow.post)).all()
            return tuple((appointment(row), *place_at(session, row.post, row.valid_from)) for row in rows)

    def holders_of(self, role: str, organ: str, at: datetime | None = None) -> tuple[Holder, ...]:
        """Who holds a post with `role` in this very organ, now or at `at`."""
        query = (
            sa.select(AppointmentRow.person, AppointmentRow.post)
            .distinct()
            .join(PostRow, PostRow.id == AppointmentRow.post)
            .join(PostRole, PostRole.post == PostRow.id)
            .where(PostRow.organ == organ, PostRole.role == role, in_force(at or self._store.clock.now()))
            .order_by(AppointmentRow.person, AppointmentRow.post)
        )
        with self._store.read() as session:
            return tuple(
                Holder(person(session, row.person), post(session, row.post)) for row in session.execute(query)
            )

    def tenants(self) -> Mapping[str, str]:
        """Every organ that lies in a tenant (`authz.tenant`), and in which."""
        query = sa.select(OrganRow.id, OrganRow.tenant).where(OrganRow.tenant.is_not(None))
        with self._store.read() as session:
            return {each: tenant for each, tenant in session.execute(query) if tenant is not None}

    def is_under(self, organ: str, ancestor: str) -> bool:
        """Whether `organ` is `ancestor` or below it; unknown organs are under nothing."""
        with self._store.read() as session:
            return session.get(OrganClosure, (organ, ancestor)) is not None

    def standing(
        self, person: str, post: str, at: datetime | None = None, session: Session | None = None
    ) -> Standing:
        """The person in the post, as decisions see it, now or at `at`; `session` joins a transaction under way."""
        at = at or self._store.clock.now()
        if session is not None:
            return standing(session, person, post, at)
        with self._store.look() as own:
            return standing(own, person, post, at)

    def standings(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Standing]:
        """As `standing` for many people in posts at once, now; pairs with a name that is unknown are left out."""
        with self._store.look() as look:
            return standings(look, pairs, self._store.clock.now())
