"""Changes of people and of what they hold."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from authz import appointment as people
from authz.change.asked import known, post_of, post_resource, posts_of
from authz.change.base import Change, Differences
from authz.directory.file import AppointmentEntry, Entry, PersonEntry
from yinxin.authz import PLATFORM, Level, Resource
from yinxin.personal import Personal
from yinxin.store import Act


class Register(Change):
    """A new person, entered by `organ`."""

    verb: ClassVar[str] = "authz.register-person"
    kind: Literal["register-person"] = "register-person"
    person: PersonEntry
    organ: str

    @property
    def subject(self) -> str:
        return f"person:{self.person.id}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:  # noqa: ARG002 - not every change asks for all
        # a clearance is given by nobody who has not got it: the resource has its level
        return [
            Resource("Directory", self.person.id, each, level=self.person.clearance)
            for each in known(session, [self.organ])
        ]

    def apply(self, act: Act, at: datetime) -> Differences:
        act.facts["person_name"] = Personal(self.person.name, self.person.id)
        return people.register(act, self.person, at, by=self.organ)


class AlterPerson(Change):
    """Another name or clearance for a person."""

    verb: ClassVar[str] = "authz.alter-person"
    kind: Literal["alter-person"] = "alter-person"
    person: str
    name: str | None = Field(default=None, max_length=100)
    clearance: Level | None = None

    @property
    def subject(self) -> str:
        return f"person:{self.person}"

    def concerns(self, session: Session, at: datetime) -> Iterable[str]:  # noqa: ARG002 - not every change asks for all
        return (self.person,)

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        level = self.clearance or "public"
        posts = posts_of(session, self.person, at)
        return [Resource("Directory", self.person, each.organ, level=level) for each in posts] or [
            Resource("Directory", self.person, PLATFORM, level=level)
        ]

    def apply(self, act: Act, at: datetime) -> Differences:
        if self.name is not None:
            act.facts["person_name"] = Personal(self.name, self.person)
        return people.alter_person(act, self.person, at, name=self.name, clearance=self.clearance)


class Retire(Change):
    """The person leaves the service."""

    verb: ClassVar[str] = "authz.retire"
    kind: Literal["retire"] = "retire"
    person: str

    @property
    def subject(self) -> str:
        return f"person:{self.person}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        return posts_of(session, self.person, at) or [post_resource("-", PLATFORM, (), self.person)]

    def apply(self, act: Act, at: datetime) -> Differences:
        return people.retire(act, self.person, at)


class Reinstate(Change):
    """The person may be appointed again."""

    verb: ClassVar[str] = "authz.reinstate"
    kind: Literal["reinstate"] = "reinstate"
    person: str

    @property
    def subject(self) -> str:
        return f"person:{self.person}"

    def concerns(self, session: Session, at: datetime) -> Iterable[str]:  # noqa: ARG002 - not every change asks for all
        return (self.person,)

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        return posts_of(session, self.person, at) or [post_resource("-", PLATFORM, (), self.person)]

    def apply(self, act: Act, at: datetime) -> Differences:
        return people.reinstate(act, self.person, at)


class NewAppointment(Entry):
    """A person in a post; it begins when it is made unless `valid_from` says later."""

    person: str
    post: str
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
    kind: Literal["substantive", "acting"] = "substantive"

    def at(self, now: datetime) -> AppointmentEntry:
        """The appointment, made now."""
        return AppointmentEntry(**self.model_dump() | {"valid_from": self.valid_from or now})


class Appoint(Change):
    """A person gets a post."""

    verb: ClassVar[str] = "authz.appoint"
    kind: Literal["appoint"] = "appoint"
    appointment: NewAppointment

    @property
    def subject(self) -> str:
        return f"appointment:{self.appointment.person}/{self.appointment.post}"

    def concerns(self, session: Session, at: datetime) -> Iterable[str]:  # noqa: ARG002 - not every change asks for all
        return (self.appointment.person,)

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        return [post_of(session, self.appointment.post, self.appointment.person, at)]

    def apply(self, act: Act, at: datetime) -> Differences:
        return people.appoint(act, self.appointment.at(at), at)


class EndAppointment(Change):
    """A person loses a post, now or at a later time."""

    verb: ClassVar[str] = "authz.end-appointment"
    kind: Literal["end-appointment"] = "end-appointment"
    person: str
    post: str
    at: AwareDatetime | None = None

    @property
    def subject(self) -> str:
        return f"appointment:{self.person}/{self.post}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        return [post_of(session, self.post, self.person, at)]

    def apply(self, act: Act, at: datetime) -> Differences:
        return people.end(act, self.person, self.post, max(self.at or at, at), now=at)


class Transfer(Change):
    """A person goes from the post `of` to another."""

    verb: ClassVar[str] = "authz.transfer"
    kind: Literal["transfer"] = "transfer"
    of: str
    to: NewAppointment

    @property
    def subject(self) -> str:
        return f"appointment:{self.to.person}/{self.to.post}"

    def concerns(self, session: Session, at: datetime) -> Iterable[str]:  # noqa: ARG002 - not every change asks for all
        return (self.to.person,)

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        return [post_of(session, each, self.to.person, at) for each in (self.of, self.to.post)]

    def apply(self, act: Act, at: datetime) -> Differences:
        act.facts["of"] = self.of
        return people.transfer(act, self.to.person, self.of, self.to.at(at), at)
