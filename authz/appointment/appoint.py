"""Somebody gets a post, loses it, or goes from one to another."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.appointment.end import end_all, unended
from authz.directory.errors import AppointmentOverlaps, AppointmentPast, HasRetired, NotAppointed, PostEnded
from authz.directory.file import AppointmentEntry
from authz.directory.load import keep_powers_apart
from authz.directory.past import Difference
from authz.errors import BadPeriod, UnknownPerson, UnknownPost
from authz.models import AppointmentRow, PersonRow, PostRow
from authz.tenant.quota import people_within
from yinxin.clock import rfc3339
from yinxin.store import Act


def appoint(act: Act, entry: AppointmentEntry, at: datetime) -> tuple[Difference, ...]:
    """Enter an appointment, substantive or acting, that begins now or later.

    Raises BadPeriod, AppointmentPast, UnknownPerson, UnknownPost, HasRetired, PostEnded, AppointmentOverlaps,
    PowersMeet, QuotaExceeded.
    """
    if entry.valid_from < at:
        raise AppointmentPast(person=entry.person, post=entry.post, valid_from=rfc3339(entry.valid_from))
    return enter(act.session, AppointmentRow(**entry.model_dump()))


def enter(session: Session, row: AppointmentRow) -> tuple[Difference, ...]:
    """Add the row, if everything about it holds; raises as `appoint` does."""
    subject = f"appointment:{row.person}/{row.post}/{rfc3339(row.valid_from)}"
    if row.valid_to is not None and row.valid_to <= row.valid_from:
        raise BadPeriod(row=subject)
    post = _may_hold(session, row.person, row.post)
    overlapping = sa.select(AppointmentRow.valid_from).where(
        AppointmentRow.person == row.person, AppointmentRow.post == row.post, unended(row.valid_from)
    )
    if row.valid_to is not None:
        overlapping = overlapping.where(AppointmentRow.valid_from < row.valid_to)
    held = session.scalars(overlapping).first()
    if held is not None:
        raise AppointmentOverlaps(person=row.person, post=row.post, since=rfc3339(held))
    with people_within(session, post.organ, row.valid_from):
        session.add(row)
    session.flush()
    keep_powers_apart(session, row.person)
    return (Difference(subject, "*", None, row.kind),)


def end(
    act: Act, person: str, post: str, at: datetime, how: str = "withdrawn", *, now: datetime | None = None
) -> tuple[Difference, ...]:
    """End at `at`, which is now or later than `now`, what the person holds or will hold of this post; raises UnknownPerson, UnknownPost, NotAppointed."""
    lock_person(act.session, person)
    if act.session.get(PostRow, post) is None:
        raise UnknownPost(post=post)
    where = sa.and_(AppointmentRow.person == person, AppointmentRow.post == post)
    ended = end_all(act.session, where, at, how, now=now or at)
    if not ended:
        raise NotAppointed(person=person, post=post)
    return ended


def transfer(act: Act, person: str, of: str, to: AppointmentEntry, at: datetime) -> tuple[Difference, ...]:
    """End the person's post `of` when `to` begins, and let her have that one; raises as `end` and `appoint` do."""
    ended = end(act, person, of, to.valid_from, "transferred", now=at)
    return ended + appoint(act, to, at)


def lock_person(session: Session, person: str) -> PersonRow:
    """The person's row, held until the transaction ends, so that what she holds is judged whole; raises UnknownPerson."""
    row = session.get(PersonRow, person, with_for_update=True)
    if row is None:
        raise UnknownPerson(person=person)
    return row


def _may_hold(session: Session, person: str, post: str) -> PostRow:
    row = lock_person(session, person)
    if row.retired is not None:
        raise HasRetired(person=person, since=rfc3339(row.retired))
    wanted = session.get(PostRow, post)
    if wanted is None:
        raise UnknownPost(post=post)
    if wanted.ended is not None:
        raise PostEnded(post=post, since=rfc3339(wanted.ended))
    return wanted
