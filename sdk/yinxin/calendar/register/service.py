"""The register: what is in force, every version, and the calendar they make. A version that is not signed is not believed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from yinxin import canonical
from yinxin.calendar import Arrangement, Calendar
from yinxin.calendar.register.errors import CalendarForged, YearMoved, YearUnchanged, YearUnknown
from yinxin.calendar.register.models import YearRow
from yinxin.clock import rfc3339
from yinxin.crypto.suite import INTL
from yinxin.proposal import Approved
from yinxin.store import Store
from yinxin.tlog import BadNoteSignature, MalformedNote, Note, NoteSigner, UntrustedNote

VERB = "calendar.publish"


@dataclass(frozen=True, slots=True)
class Version:
    """A published arrangement."""

    arrangement: Arrangement
    version: int
    sha256: str
    proposal: str
    author: str
    in_force_from: datetime
    in_force_until: datetime | None
    #: the site's signed note over `statement`
    signature: str

    @classmethod
    def of(cls, row: YearRow) -> Self:
        """A row as a value."""
        return cls(
            Arrangement.model_validate(canonical.decode(row.arrangement)),
            row.version,
            row.sha256,
            row.proposal,
            row.author,
            row.in_force_from,
            row.in_force_until,
            row.signature,
        )


class Calendars:
    """The calendars of one site. `signers` gives the site's keys: the first use touches the security module."""

    def __init__(self, store: Store, signers: Callable[[], Sequence[NoteSigner]]) -> None:
        self.store = store
        self._signers = signers
        self._made: tuple[int, Calendar] | None = None

    def calendar(self) -> Calendar:
        """What is in force now; raises CalendarForged. A year of which nothing is published is unknown in it."""
        # versions are only ever added
        published = int(self.store.glance("SELECT count(*) FROM calendar_year") or 0)
        made = self._made
        if made is None or made[0] != published:
            made = self._made = published, Calendar(each.arrangement for each in self.in_force())
        return made[1]

    def in_force(self) -> tuple[Version, ...]:
        """The arrangement in force of every year, its newest version, the latest year first; raises CalendarForged.

        Until when a version was in force is not signed: it brings no earlier one back.
        """
        every = sa.select(YearRow.year, sa.func.max(YearRow.version)).group_by(YearRow.year)
        newest = sa.tuple_(YearRow.year, YearRow.version).in_(every)
        query = sa.select(YearRow).where(newest).order_by(YearRow.year.desc())
        with self.store.read() as session:
            return tuple(self._believed(row) for row in session.scalars(query))

    def versions(self, year: int) -> tuple[Version, ...]:
        """Every version of a year, newest first; raises CalendarForged."""
        query = sa.select(YearRow).where(YearRow.year == year).order_by(YearRow.version.desc())
        with self.store.read() as session:
            return tuple(self._believed(row) for row in session.scalars(query))

    def version(self, year: int, version: int | None = None) -> Version:
        """One version of a year, the one in force without a number; raises YearUnknown, CalendarForged."""
        with self.store.read() as session:
            row = _newest(session, year) if version is None else session.get(YearRow, (year, version))
            if row is None:
                raise YearUnknown(year=year, version="-" if version is None else version)
            return self._believed(row)

    def check(self, arrangement: Arrangement, replaces: int) -> None:
        """Raise YearMoved or YearUnchanged unless it could follow the version in force, 0 for none."""
        with self.store.read() as session:
            _follows(_newest(session, arrangement.year), arrangement, replaces)

    def publish(self, approved: Approved[Any], arrangement: Arrangement, replaces: int) -> Version:
        """Put an approved arrangement in force, signed and recorded; done already, it is told again.

        Raises YearMoved, YearUnchanged.
        """
        if (done := self._published_by(approved.proposal)) is not None:
            return done
        subject = f"calendar:{arrangement.year}"
        with self.store.act(approved.actor, VERB, subject, proposal=approved.proposal) as act:
            newest = _newest(act.session, arrangement.year, lock=True)
            _follows(newest, arrangement, replaces)
            now = self.store.clock.now()
            row = YearRow(
                year=arrangement.year,
                version=replaces + 1,
                arrangement=arrangement.encode(),
                sha256=arrangement.digest,
                proposal=approved.proposal,
                author=approved.actor.id,
                in_force_from=now,
            )
            row.signature = Note.sign(statement(row), self._signers()).encode().decode()
            if newest is not None:
                newest.in_force_until = now
            act.session.add(row)
            act.facts |= {"version": row.version, "sha256": row.sha256}
            try:
                act.session.flush()
            except IntegrityError as error:  # somebody else has just published the year's first version
                raise YearMoved(year=row.year, replaces=replaces, version=row.version) from error
            return Version.of(row)

    def _published_by(self, proposal: str) -> Version | None:
        with self.store.read() as session:
            row = session.scalars(sa.select(YearRow).where(YearRow.proposal == proposal)).one_or_none()
            return None if row is None else self._believed(row)

    def _believed(self, row: YearRow) -> Version:
        """The row as a value, held against the site's signature; raises CalendarForged."""
        reason = None
        try:
            note = Note.decode(row.signature.encode())
            note.verify([each.verifier for each in self._signers()])
            reason = None if note.text == statement(row) else "signature"
        except (MalformedNote, UntrustedNote, BadNoteSignature) as error:
            reason = error.code
        if reason is None and INTL.hash.digest(row.arrangement).hex() != row.sha256:
            reason = "arrangement"
        if reason is not None:
            raise CalendarForged(year=row.year, version=row.version, reason=reason)
        return Version.of(row)


def statement(row: YearRow) -> str:
    """What the site signs: one line of canonical JSON that nothing else it signs looks like."""
    body = {
        "v": 1,
        "type": "calendar-year",
        "year": row.year,
        "version": row.version,
        "sha256": row.sha256,
        "proposal": row.proposal,
        "author": row.author,
        "from": rfc3339(row.in_force_from),
    }
    return canonical.encode(body).decode() + "\n"


def _newest(session: Session, year: int, *, lock: bool = False) -> YearRow | None:
    query = sa.select(YearRow).where(YearRow.year == year).order_by(YearRow.version.desc()).limit(1)
    return session.scalars(query.with_for_update() if lock else query).first()


def _follows(newest: YearRow | None, arrangement: Arrangement, replaces: int) -> None:
    version = newest.version if newest is not None else 0
    if version != replaces:
        raise YearMoved(year=arrangement.year, replaces=replaces, version=version)
    if newest is not None and newest.sha256 == arrangement.digest:
        raise YearUnchanged(year=arrangement.year, version=version)
