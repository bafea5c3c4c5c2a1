"""Changes of posts."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from authz import appointment as people
from authz.change.asked import granted_to, post_of, post_resource
from authz.change.base import Change, Differences
from authz.directory.file import PostEntry
from authz.directory.look import in_force, post
from authz.models import AppointmentRow
from yinxin.authz import Resource
from yinxin.store import Act


class FoundPost(Change):
    """A new post."""

    verb: ClassVar[str] = "authz.found-post"
    kind: Literal["found-post"] = "found-post"
    post: PostEntry

    @property
    def subject(self) -> str:
        return f"post:{self.post.id}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        granted = granted_to(session, self.post.id, self.post.organ, at)
        return [post_resource(self.post.id, self.post.organ, self.post.roles, "", granted=granted)]

    def apply(self, act: Act, at: datetime) -> Differences:
        return people.found_post(act, self.post, at)


class NamePost(Change):
    """Another name for a post."""

    verb: ClassVar[str] = "authz.name-post"
    kind: Literal["name-post"] = "name-post"
    post: str
    name_zh: str | None = Field(default=None, max_length=200)
    name_en: str | None = Field(default=None, max_length=200)

    @property
    def subject(self) -> str:
        return f"post:{self.post}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        return [post_of(session, self.post, "", at)]

    def apply(self, act: Act, at: datetime) -> Differences:
        return people.name_post(act, self.post, at, name_zh=self.name_zh, name_en=self.name_en)


class GiveRoles(Change):
    """Exactly these roles for a post."""

    verb: ClassVar[str] = "authz.give-roles"
    kind: Literal["give-roles"] = "give-roles"
    post: str
    roles: tuple[str, ...]

    @property
    def subject(self) -> str:
        return f"post:{self.post}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:  # noqa: ARG002 - not every change asks for all
        known = post(session, self.post)
        return [post_resource(known.id, known.organ, {*known.roles, *self.roles}, "")]

    def concerns(self, session: Session, at: datetime) -> Iterable[str]:
        held = sa.select(AppointmentRow.person).where(AppointmentRow.post == self.post, in_force(at))
        return session.scalars(held).all()

    def apply(self, act: Act, at: datetime) -> Differences:
        act.facts["roles"] = sorted(self.roles)
        return people.give_roles(act, self.post, self.roles, at)


class GiveUpPost(Change):
    """The end of a post, and of everybody's holding it."""

    verb: ClassVar[str] = "authz.give-up-post"
    kind: Literal["give-up-post"] = "give-up-post"
    post: str

    @property
    def subject(self) -> str:
        return f"post:{self.post}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        return [post_of(session, self.post, "", at)]

    def apply(self, act: Act, at: datetime) -> Differences:
        return people.give_up(act, self.post, at)
