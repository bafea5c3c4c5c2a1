"""What ends with an appointment: delegations that rest on it, sessions and certificates of the person in the post."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.close import close
from authz.directory.models import DelegationRow
from authz.directory.past import Difference
from authz.models import AppointmentRow, CertificateBinding, SessionRow
from yinxin.clock import rfc3339


def unended(at: datetime) -> sa.ColumnElement[bool]:
    """The condition that an appointment is in force at `at` or will be."""
    return sa.or_(AppointmentRow.valid_to.is_(None), AppointmentRow.valid_to > at)


def end_appointment(
    session: Session, row: AppointmentRow, at: datetime, how: str, *, now: datetime
) -> tuple[Difference, ...]:
    """End one appointment at `at`, now or later, and with it what rests on it; one that is over by then stays as it was.

    One that has not begun is over before it began: its period is empty. Sessions and certificates of a later end go
    when it has come: every use of a session looks at the appointment, and the CA at who departed.
    """
    if row.valid_to is not None and row.valid_to <= at:
        return ()
    before = row.valid_to
    row.valid_to, row.ended = max(at, row.valid_from), how
    session.flush()
    subject = f"appointment:{row.person}/{row.post}/{rfc3339(row.valid_from)}"
    differences: tuple[Difference, ...] = (Difference(subject, "valid_to", before, row.valid_to),)
    differences += _end_delegations(session, row, at, how, now)
    if at <= now and not _holds_still(session, row, at):
        _shut_out(session, row.person, row.post, at)
    return differences


def end_all(
    session: Session, where: sa.ColumnElement[bool], at: datetime, how: str, *, now: datetime
) -> tuple[Difference, ...]:
    """End every appointment that `where` selects and that is not over."""
    query = sa.select(AppointmentRow).where(where, unended(at))
    rows = session.scalars(query.order_by(AppointmentRow.person, AppointmentRow.post)).all()
    return tuple(each for row in rows for each in end_appointment(session, row, at, how, now=now))


def end_delegation(
    session: Session, row: DelegationRow, at: datetime, how: str, *, now: datetime
) -> tuple[Difference, ...]:
    """End a delegation, and the delegate's acting by it, at `at`; one that is over by then stays as it was."""
    if row.valid_to <= at or (row.ended_at is not None and row.ended_at <= at):
        return ()
    row.ended_at, row.ended = at, how
    session.flush()
    told = Difference(f"delegation:{row.id}", "ended", None, how)
    return (told, *end_all(session, AppointmentRow.delegation == row.id, at, how, now=now))


def _end_delegations(
    session: Session, row: AppointmentRow, at: datetime, how: str, now: datetime
) -> tuple[Difference, ...]:
    """Those that the person gave in this post, unless she holds it by another appointment of her own."""
    if row.kind == "delegation":
        given = session.get(DelegationRow, row.delegation)
        return end_delegation(session, given, at, how, now=now) if given is not None else ()
    if _holds_still(session, row, at, own=True):
        return ()
    query = sa.select(DelegationRow).where(
        DelegationRow.delegator == row.person, DelegationRow.post == row.post, going_on(at)
    )
    given_by_her = session.scalars(query).all()
    return tuple(each for given in given_by_her for each in end_delegation(session, given, at, how, now=now))


def going_on(at: datetime) -> sa.ColumnElement[bool]:
    """The condition that a delegation is in force after `at`, or will be."""
    ended = sa.or_(DelegationRow.ended_at.is_(None), DelegationRow.ended_at > at)
    return sa.and_(DelegationRow.valid_to > at, ended)


def _holds_still(session: Session, row: AppointmentRow, at: datetime, *, own: bool = False) -> bool:
    held = sa.exists().where(
        AppointmentRow.person == row.person,
        AppointmentRow.post == row.post,
        AppointmentRow.valid_from <= at,
        unended(at),
    )
    if own:
        held = held.where(AppointmentRow.kind != "delegation")
    return bool(session.scalar(sa.select(held)))


def _shut_out(session: Session, person: str, post: str, at: datetime) -> None:
    """End the sessions in the post, and the bindings of certificates to it; the CA revokes those after its grace."""
    close(session, sa.and_(SessionRow.person == person, SessionRow.post == post), at)
    bound = sa.update(CertificateBinding).where(
        CertificateBinding.person == person,
        CertificateBinding.post == post,
        CertificateBinding.ended_at.is_(None),
    )
    session.execute(bound.values(ended_at=at, left_at=at))
