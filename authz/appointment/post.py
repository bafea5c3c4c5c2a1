"""A post is founded, named, given other roles, and given up."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.appointment.end import end_all
from authz.directory.active import active
from authz.directory.check import check_identifier, check_roles
from authz.directory.errors import AlreadyThere, PostEnded, TenantHasAdministrator
from authz.directory.file import PostEntry
from authz.directory.load import keep_powers_apart, one_at_a_time
from authz.directory.past import Difference, alter, entered, supersede
from authz.errors import UnknownPost
from authz.models import AppointmentRow, OrganRow, PostRole, PostRow
from yinxin.clock import rfc3339
from yinxin.store import Act


def found_post(act: Act, entry: PostEntry, at: datetime) -> tuple[Difference, ...]:
    """Enter a post of an active organ; raises BadIdentifier, UnknownReference, PowersMeetInPost, UnknownOrgan, OrganEnded, TenantHasAdministrator, AlreadyThere."""
    session, row = act.session, f"post:{entry.id}"
    check_identifier(row, entry.id)
    check_roles(row, entry.roles)
    _guest(active(session, entry.organ), entry.id, entry.roles)
    if session.get(PostRow, entry.id) is not None:
        raise AlreadyThere(subject=row)
    made = PostRow(**entry.model_dump(exclude={"roles"}), since=at)
    session.add(made)
    session.flush()
    session.add_all(PostRole(post=entry.id, role=role) for role in sorted(entry.roles))
    session.flush()
    return (entered(made),)


def name_post(
    act: Act, post: str, at: datetime, *, name_zh: str | None = None, name_en: str | None = None
) -> tuple[Difference, ...]:
    """Give the post another name; raises UnknownPost, PostEnded."""
    given = {"name_zh": name_zh, "name_en": name_en}
    row = _going_on(act.session, post)
    return alter(act, row, at, **{field: value for field, value in given.items() if value is not None})


def give_roles(act: Act, post: str, roles: Sequence[str], at: datetime) -> tuple[Difference, ...]:
    """Let the post carry exactly these roles, at once for whoever holds it.

    Raises UnknownPost, PostEnded, UnknownReference, DuplicateRow, PowersMeetInPost, PowersMeet, TenantHasAdministrator.
    """
    session = act.session
    check_roles(f"post:{post}", roles)
    one_at_a_time(session)
    row = _going_on(session, post)
    _guest(session.get_one(OrganRow, row.organ), post, roles)
    before = set(session.scalars(sa.select(PostRole.role).where(PostRole.post == post)))
    if before == set(roles):
        return ()
    supersede(act, row, at)
    session.execute(sa.delete(PostRole).where(PostRole.post == post))
    session.add_all(PostRole(post=post, role=role) for role in sorted(roles))
    session.flush()
    holders = sa.select(AppointmentRow.person).where(AppointmentRow.post == post).distinct()
    for person in session.scalars(holders).all():
        keep_powers_apart(session, person)
    return (Difference(f"post:{post}", "roles", sorted(before), sorted(roles)),)


def give_up(act: Act, post: str, at: datetime) -> tuple[Difference, ...]:
    """Give up the post: who holds it holds it no longer. Raises UnknownPost, PostEnded."""
    row = _going_on(act.session, post)
    ended = end_all(act.session, AppointmentRow.post == post, at, "post-ended", now=at)
    return ended + alter(act, row, at, ended=at)


def _guest(organ: OrganRow, post: str, roles: Collection[str]) -> None:
    """A tenant does not look after the installation."""
    if organ.tenant is not None and "administrator" in roles:
        raise TenantHasAdministrator(post=post)


def _going_on(session: Session, post: str) -> PostRow:
    row = session.get(PostRow, post, with_for_update=True)
    if row is None:
        raise UnknownPost(post=post)
    if row.ended is not None:
        raise PostEnded(post=post, since=rfc3339(row.ended))
    return row
