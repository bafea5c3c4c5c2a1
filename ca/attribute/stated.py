"""What is on record of a person in a post, as an attribute certificate states it. Read in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory import look
from authz.directory.records import Standing
from authz.errors import CannotBind
from authz.grant import Grant as GrantOnRecord
from authz.grant.look import held
from authz.models import AppointmentRow, OrganRow
from authz.policy_set import Template
from ca.settings import CaSettings
from yinxin.authz import LEVELS, PLATFORM
from yinxin.crypto.attribute import Appointment, Claims, Clearance, Grant, Role
from yinxin.crypto.attribute.claims import Kind, Named
from yinxin.text import Text

#: what an appointment counts for when somebody holds a post in several ways
_ORDER: Mapping[str, int] = {"substantive": 0, "acting": 1, "delegation": 2}
_KINDS: Mapping[str, Kind] = {"substantive": "substantive", "acting": "acting", "delegation": "delegation"}
_PLATFORM = Text("平台", "the platform")


def stated(
    session: Session,
    settings: CaSettings,
    templates: Mapping[str, Template],
    who: tuple[str, str],
    at: datetime,
) -> Claims:
    """Everything in force at `at` of a person in a post, `who`; raises CannotBind when she does not hold it then.

    Who acts by a delegation that is limited to some acts has no roles stated, since a role says nothing of limits, and of
    the grants only what the delegation leaves.
    """
    person, post = who
    standing = look.standing(session, person, post, at)
    if not standing.appointed or standing.person.retired is not None:
        raise CannotBind(person=person, post=post)
    roles = sorted(standing.post.roles) if standing.actions is None else []
    grants = held(session, standing, list(templates), at)
    scopes = _names(session, {each.organ for each in grants})
    shown = [_grant(each, templates[each.template], scopes[each.organ], standing.actions) for each in grants]
    return Claims(
        appointment=_appointment(session, standing, at),
        clearance=Clearance(settings.attributes.clearance_policy, standing.person.clearance),
        roles=tuple(Role(role_uri(settings, each)) for each in roles),
        grants=tuple(each for each in shown if each.actions),
    )


def role_uri(settings: CaSettings, role: str) -> str:
    """How a role of this site is named (RFC 5755 4.4.5); an identifier, not an address to be fetched."""
    return f"{settings.public_url}/roles/{role}"


def _appointment(session: Session, standing: Standing, at: datetime) -> Appointment:
    query = sa.select(AppointmentRow).where(
        AppointmentRow.person == standing.person.id,
        AppointmentRow.post == standing.post.id,
        look.in_force(at),
    )
    rows = session.scalars(query).all()
    row = min(rows, key=lambda each: (_ORDER.get(each.kind, 0), each.valid_to is not None, each.valid_from))
    return Appointment(
        person=standing.person.id,
        person_name=standing.person.name,
        post=Named(standing.post.id, standing.post.name),
        organ=Named(standing.organ.id, standing.organ.name),
        kind=_KINDS[row.kind],
        valid_from=row.valid_from.replace(microsecond=0),
        valid_to=row.valid_to and row.valid_to.replace(microsecond=0),
        organ_code=standing.organ.uscc,
        actions=None if standing.actions is None else tuple(sorted(standing.actions)),
    )


def _grant(grant: GrantOnRecord, template: Template, scope: Text, limited: frozenset[str] | None) -> Grant:
    actions = template.actions if limited is None else template.actions & limited
    return Grant(
        id=grant.id,
        template=Named(template.id, template.text),
        actions=tuple(sorted(actions)),
        holder=grant.holder,
        scope=Named(grant.organ, scope),
        valid_from=grant.valid_from.replace(microsecond=0),
        valid_to=grant.valid_to.replace(microsecond=0),
        source=grant.source,
    )


def _names(session: Session, organs: set[str]) -> Mapping[str, Text]:
    rows = session.scalars(sa.select(OrganRow).where(OrganRow.id.in_(organs)))
    return {PLATFORM: _PLATFORM} | {row.id: Text(row.name_zh, row.name_en) for row in rows}


def still_holds(said: Claims, now: Claims) -> bool:
    """Whether everything that was stated is on record still: nothing taken away, shortened or lowered.

    What was added since does not matter; that an appointment or grant ran out is its own time's to say.
    """
    grants = {each.id: each for each in now.grants}
    return (
        _same_post(said.appointment, now.appointment)
        and set(said.roles) <= set(now.roles)
        and _level(said.clearance) <= _level(now.clearance)
        and all(
            each.id in grants
            and set(each.actions) <= set(grants[each.id].actions)
            and each.valid_to <= grants[each.id].valid_to
            for each in said.grants
        )
    )


def _same_post(said: Appointment, now: Appointment) -> bool:
    shortened = now.valid_to is not None and (said.valid_to is None or now.valid_to < said.valid_to)
    limited = now.actions is not None and (said.actions is None or not set(said.actions) <= set(now.actions))
    return (said.person, said.post.id, said.organ.id) == (
        now.person,
        now.post.id,
        now.organ.id,
    ) and not (shortened or limited)


def _level(clearance: Clearance) -> int:
    return LEVELS.index(clearance.level)
