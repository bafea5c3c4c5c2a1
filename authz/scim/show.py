"""Resources as a client sees them: rows of the directory in SCIM's words."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from scim2_models import Meta, Reference
from sqlalchemy.orm import Session

from authz.decide import Decisions
from authz.directory.look import in_force
from authz.models import AppointmentRow, OrganRow, PersonRow, PostRole, PostRow
from authz.scim.client import CLEARANCE
from authz.scim.models import ExternalRow
from authz.scim.schemas import (
    ROOT,
    EnterpriseUser,
    GroupMembership,
    GroupResource,
    HeldPost,
    Member,
    OrganResource,
    UserResource,
    YinxinGroup,
    YinxinUser,
)
from authz.scim.seek import Kind
from authz.scim.sight import Sight
from yinxin import canonical
from yinxin.authz import Resource
from yinxin.crypto.suite import SHA256

CLEARANCE_VERB = "authz.scim-read-clearance"


class Show:
    """Makes resources of rows; `origin` is the address of this site."""

    def __init__(self, decisions: Decisions, origin: str) -> None:
        self._decisions = decisions
        self.base = f"{origin}{ROOT}"

    def resources(self, session: Session, kind: Kind, sight: Sight, ids: Sequence[str]) -> list[Any]:
        """The resources in this order; the caller has seen to it that the client may see them."""
        made: Mapping[str, Any] = {"User": self._users, "Group": self._groups, "Organ": self._organs}[
            kind.name
        ](session, sight, ids)
        found = [made[each] for each in ids]
        for each in found:
            each.meta.version = version(each)
        return found

    def location(self, kind: str, id_: str) -> str:
        """The address of a resource."""
        return f"{self.base}/{kind}s/{id_}"

    def _meta(self, kind: str, row: Any) -> Meta:
        return Meta(resource_type=kind, location=self.location(kind, row.id), last_modified=row.since)

    def _users(self, session: Session, sight: Sight, ids: Sequence[str]) -> Mapping[str, Any]:
        rows = session.execute(
            sa.select(PersonRow, sight.home.label("home")).where(PersonRow.id.in_(ids))
        ).all()
        held = self._held(session, sight, ids)
        outer = _externals(session, sight, "user", ids)
        organs = _organs_with_parents(session, {row.home for row in rows if row.home})
        clearances = self._clearances(sight, {row.PersonRow.id: (row.PersonRow, row.home) for row in rows})
        made = {}
        for person, home in rows:
            posts = held.get(person.id, [])
            user = UserResource(
                id=person.id,
                external_id=outer.get(person.id),
                meta=self._meta("User", person),
                user_name=person.id,
                display_name=person.name,
                active=person.retired is None,
                groups=[self._group(each) for each in posts if each.kind != "delegation"] or None,
            )
            user[YinxinUser] = YinxinUser(
                organ=home, posts=[_post(each) for each in posts] or None, clearance=clearances.get(person.id)
            )
            user[EnterpriseUser] = _workplace(organs, home)
            made[person.id] = user
        return made

    def _held(self, session: Session, sight: Sight, ids: Sequence[str]) -> Mapping[str, list[Any]]:
        query = (
            sa.select(
                AppointmentRow.person,
                AppointmentRow.kind,
                AppointmentRow.valid_from,
                AppointmentRow.valid_to,
                PostRow.id,
                PostRow.name_zh,
                PostRow.organ,
                OrganRow.name_zh.label("organ_name"),
                OrganRow.division,
            )
            .join(PostRow, PostRow.id == AppointmentRow.post)
            .join(OrganRow, OrganRow.id == PostRow.organ)
            .where(AppointmentRow.person.in_(ids), in_force(sight.at), sight.posts)
            .order_by(AppointmentRow.valid_from, PostRow.id)
        )
        found: dict[str, list[Any]] = {}
        for row in session.execute(query):
            found.setdefault(row.person, []).append(row)
        return found

    def _group(self, row: Any) -> GroupMembership:
        return GroupMembership(
            value=row.id, ref=Reference(self.location("Group", row.id)), display=row.name_zh, type="direct"
        )

    def _clearances(
        self, sight: Sight, people: Mapping[str, tuple[PersonRow, str | None]]
    ) -> Mapping[str, str]:
        """Those that the client may know, each decided by itself."""
        if CLEARANCE not in sight.client.scopes:
            return {}
        asked = [(row, home) for row, home in people.values() if home is not None]
        decided = self._decisions.check_many(
            sight.client.actor,
            [
                (CLEARANCE_VERB, Resource("Directory", row.id, home, level=row.clearance), None)  # type: ignore[arg-type]
                for row, home in asked
            ],
        )
        return {
            row.id: row.clearance
            for (row, _), decision in zip(asked, decided, strict=True)
            if decision.allowed
        }

    def _groups(self, session: Session, sight: Sight, ids: Sequence[str]) -> Mapping[str, Any]:
        members: dict[str, list[Member]] = {}
        query = (
            sa.select(AppointmentRow.post, PersonRow.id, PersonRow.name)
            .distinct()
            .join(PersonRow, PersonRow.id == AppointmentRow.person)
            .where(AppointmentRow.post.in_(ids), AppointmentRow.kind != "delegation", in_force(sight.at))
            .order_by(AppointmentRow.post, PersonRow.id)
        )
        for post, person, name in session.execute(query):
            address: Reference[Any] = Reference(self.location("User", person))
            members.setdefault(post, []).append(Member(value=person, ref=address, display=name, type="User"))
        roles: dict[str, list[str]] = {}
        carried = sa.select(PostRole.post, PostRole.role).where(PostRole.post.in_(ids))
        for post, role in session.execute(carried.order_by(PostRole.role)):
            roles.setdefault(post, []).append(role)
        outer = _externals(session, sight, "group", ids)
        made = {}
        for row in session.scalars(sa.select(PostRow).where(PostRow.id.in_(ids))):
            group = GroupResource(
                id=row.id,
                external_id=outer.get(row.id),
                meta=self._meta("Group", row),
                display_name=row.name_zh,
                members=members.get(row.id),
            )
            group[YinxinGroup] = YinxinGroup(organ=row.organ, roles=roles.get(row.id))
            made[row.id] = group
        return made

    def _organs(self, session: Session, sight: Sight, ids: Sequence[str]) -> Mapping[str, Any]:
        rows = session.scalars(sa.select(OrganRow).where(OrganRow.id.in_(ids))).all()
        above = sa.select(OrganRow.id).where(OrganRow.id.in_([row.parent for row in rows]), sight.organs)
        seen = set(session.scalars(above))
        return {
            row.id: OrganResource(
                id=row.id,
                meta=self._meta("Organ", row),
                display_name=row.name_zh,
                display_name_en=row.name_en,
                short_name=row.short_name,
                level=row.level,
                division=row.division,
                credit_code=row.uscc,
                line=row.line,
                parent=row.parent if row.parent in seen else None,
                active=row.status == "active",
            )
            for row in rows
        }


def version(resource: Any) -> str:
    """The entity tag of what the client sees of it (RFC 7644 3.14): weak, as it is not of octets."""
    seen = resource.model_dump(exclude={"meta"})
    return f'W/"{SHA256.digest(canonical.encode(seen)).hex()[:32]}"'


def _post(row: Any) -> HeldPost:
    return HeldPost(
        value=row.id,
        display=row.name_zh,
        organ=row.organ,
        organ_name=row.organ_name,
        division=row.division,
        kind=row.kind,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _externals(session: Session, sight: Sight, kind: str, ids: Sequence[str]) -> Mapping[str, str]:
    query = sa.select(ExternalRow.subject, ExternalRow.external_id).where(
        ExternalRow.client == sight.client.id, ExternalRow.kind == kind, ExternalRow.subject.in_(ids)
    )
    return {row.subject: row.external_id for row in session.execute(query)}


def _organs_with_parents(session: Session, ids: set[str]) -> Mapping[str, OrganRow]:
    """The organs, and of departments those above."""
    found: dict[str, OrganRow] = {}
    while ids := ids - found.keys():
        rows = session.scalars(sa.select(OrganRow).where(OrganRow.id.in_(ids))).all()
        found |= {row.id: row for row in rows}
        ids = {row.parent for row in rows if row.level == "department" and row.parent}
    return found


def _workplace(organs: Mapping[str, OrganRow], home: str | None) -> EnterpriseUser | None:
    """The organ's name and, of a department, that of the nearest organ above that is none."""
    row = organs.get(home or "")
    if row is None:
        return None
    department = row.name_zh if row.level == "department" else None
    while row.level == "department" and row.parent is not None:
        row = organs[row.parent]
    return EnterpriseUser(organization=row.name_zh, department=department)


__all__ = ["CLEARANCE_VERB", "Show", "version"]
