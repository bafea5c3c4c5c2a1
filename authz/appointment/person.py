"""A person comes into the directory, changes, leaves the service, and comes back."""

from datetime import datetime

import sqlalchemy as sa

from authz.appointment.appoint import lock_person
from authz.appointment.end import end_all, end_delegation, going_on
from authz.close import close
from authz.directory.check import check_identifier
from authz.directory.errors import AlreadyThere, HasRetired, NotRetired
from authz.directory.file import PersonEntry
from authz.directory.models import DelegationRow
from authz.directory.past import Difference, alter, entered
from authz.models import AppointmentRow, PersonRow, SessionRow
from yinxin.clock import rfc3339
from yinxin.store import Act


def register(act: Act, entry: PersonEntry, at: datetime, *, by: str | None = None) -> tuple[Difference, ...]:
    """Enter a person, by the organ `by`; raises BadIdentifier, AlreadyThere."""
    check_identifier(f"person:{entry.id}", entry.id)
    if act.session.get(PersonRow, entry.id) is not None:
        raise AlreadyThere(subject=f"person:{entry.id}")
    row = PersonRow(**entry.model_dump(), since=at, entered_by=by)
    act.session.add(row)
    act.session.flush()
    return (entered(row),)


def alter_person(
    act: Act, person: str, at: datetime, *, name: str | None = None, clearance: str | None = None
) -> tuple[Difference, ...]:
    """Give the person another name or clearance; what is None stays. Raises UnknownPerson."""
    given = {"name": name, "clearance": clearance}
    row = lock_person(act.session, person)
    return alter(act, row, at, **{field: value for field, value in given.items() if value is not None})


def retire(act: Act, person: str, at: datetime) -> tuple[Difference, ...]:
    """Let the person leave the service: every post, delegation given or received, session and certificate ends.

    Raises UnknownPerson, HasRetired.
    """
    session = act.session
    row = lock_person(session, person)
    if row.retired is not None:
        raise HasRetired(person=person, since=rfc3339(row.retired))
    ended = end_all(session, AppointmentRow.person == person, at, "retired", now=at)
    involved = sa.or_(DelegationRow.delegator == person, DelegationRow.delegate == person)
    query = sa.select(DelegationRow).where(involved, going_on(at))
    for given in session.scalars(query).all():
        ended += end_delegation(session, given, at, "retired", now=at)
    close(session, SessionRow.person == person, at)
    return ended + alter(act, row, at, retired=at)


def reinstate(act: Act, person: str, at: datetime) -> tuple[Difference, ...]:
    """Let a retired person be appointed again; nothing that ended comes back. Raises UnknownPerson, NotRetired."""
    row = lock_person(act.session, person)
    if row.retired is None:
        raise NotRetired(person=person)
    return alter(act, row, at, retired=None)
