"""What the policies are asked about before a change."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.look import post, reach
from authz.errors import UnknownPerson
from authz.grant.look import to_come
from authz.models import AppointmentRow, OrganRow, PersonRow
from yinxin.authz import PLATFORM, Resource


def known(session: Session, wanted: Iterable[str]) -> list[str]:
    """Organs that exist; one that does not belongs to the platform, so that asking tells nothing of it."""
    asked = list(dict.fromkeys(wanted))
    there = set(session.scalars(sa.select(OrganRow.id).where(OrganRow.id.in_(asked))))
    return [each if each in there else PLATFORM for each in asked]


def organ_resources(session: Session, wanted: Iterable[str]) -> list[Resource]:
    """The organs, each in its own name."""
    return [Resource("Directory", each, each) for each in known(session, wanted)]


def post_resource(
    id_: str, organ: str, roles: Iterable[str], person: str, *, granted: bool = False
) -> Resource:
    """A post; `person` is whom it is about, or empty; `granted` whether its holders have a grant by holding it."""
    attributes = {"roles": sorted(roles), "person": person, "granted": granted}
    return Resource("Appointment", id_, organ, attributes=attributes)


def post_of(session: Session, wanted: str, person: str, at: datetime) -> Resource:
    """The post as it is at `at`, with whom it is about; raises UnknownPost."""
    known = post(session, wanted)
    granted = granted_to(session, known.id, known.organ, at)
    return post_resource(known.id, known.organ, known.roles, person, granted=granted)


def granted_to(session: Session, wanted: str, organ: str, at: datetime) -> bool:
    """Whether the post, its organ or one above has a grant in force at `at` or to come."""
    organs = (f"organ:{each}" for each in reach(session, organ))
    return bool(to_come(session, [f"post:{wanted}", *organs], at))


def posts_of(session: Session, person: str, at: datetime) -> list[Resource]:
    """The posts that the person holds or will hold, or else the last one held; raises UnknownPerson.

    Who never held any belongs to the organ that entered her, if that is known.
    """
    entered = session.get(PersonRow, person)
    if entered is None:
        raise UnknownPerson(person=person)
    rows = session.scalars(
        sa.select(AppointmentRow)
        .where(AppointmentRow.person == person)
        .order_by(AppointmentRow.valid_from, AppointmentRow.post)
    ).all()
    posts = [row.post for row in rows if row.valid_to is None or row.valid_to > at] or [
        row.post for row in rows[-1:]
    ]
    if not posts and entered.entered_by is not None:
        return [post_resource("-", each, (), person) for each in known(session, [entered.entered_by])]
    return [post_of(session, each, person, at) for each in dict.fromkeys(posts)]
