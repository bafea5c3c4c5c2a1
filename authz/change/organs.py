"""Changes of organs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from authz import organ as organs
from authz.change.asked import organ_resources
from authz.change.base import Change, Differences
from authz.directory.file import OrganEntry
from yinxin.authz import PLATFORM, Resource
from yinxin.store import Act


class FoundOrgan(Change):
    """A new organ."""

    verb: ClassVar[str] = "authz.found-organ"
    kind: Literal["found-organ"] = "found-organ"
    organ: OrganEntry

    @property
    def subject(self) -> str:
        return f"organ:{self.organ.id}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:  # noqa: ARG002 - not every change asks for all
        return organ_resources(session, [self.organ.parent or PLATFORM])

    def apply(self, act: Act, at: datetime) -> Differences:
        return organs.found(act, self.organ, at)


class RenameOrgan(Change):
    """Other names for an organ; what is left out stays."""

    verb: ClassVar[str] = "authz.rename-organ"
    kind: Literal["rename-organ"] = "rename-organ"
    organ: str
    name_zh: str | None = Field(default=None, max_length=200)
    name_en: str | None = Field(default=None, max_length=200)
    short_name: str | None = Field(default=None, max_length=40)

    @property
    def subject(self) -> str:
        return f"organ:{self.organ}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:  # noqa: ARG002 - not every change asks for all
        return organ_resources(session, [self.organ])

    def apply(self, act: Act, at: datetime) -> Differences:
        names = {"name_zh": self.name_zh, "name_en": self.name_en, "short_name": self.short_name}
        return organs.rename(act, self.organ, at, **names)


class MoveOrgan(Change):
    """An organ under another one; `divisions` are new codes of organs in it."""

    verb: ClassVar[str] = "authz.move-organ"
    kind: Literal["move-organ"] = "move-organ"
    organ: str
    parent: str
    divisions: Mapping[str, str] = Field(default_factory=dict)

    @property
    def subject(self) -> str:
        return f"organ:{self.organ}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:  # noqa: ARG002 - not every change asks for all
        return organ_resources(session, [self.organ, self.parent])

    def apply(self, act: Act, at: datetime) -> Differences:
        return organs.move(act, self.organ, self.parent, at, divisions=self.divisions)


class MergeOrgans(Change):
    """Organs that go up in one."""

    verb: ClassVar[str] = "authz.merge-organs"
    kind: Literal["merge-organs"] = "merge-organs"
    organs: tuple[str, ...]
    into: str
    divisions: Mapping[str, str] = Field(default_factory=dict)

    @property
    def subject(self) -> str:
        return f"organ:{self.into}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:  # noqa: ARG002 - not every change asks for all
        return organ_resources(session, [*self.organs, self.into])

    def apply(self, act: Act, at: datetime) -> Differences:
        act.facts["organs"] = list(self.organs)
        return organs.merge(act, self.organs, self.into, at, divisions=self.divisions)


class SplitOrgan(Change):
    """New organs out of one, which `ends` or goes on."""

    verb: ClassVar[str] = "authz.split-organ"
    kind: Literal["split-organ"] = "split-organ"
    organ: str
    parts: tuple[organs.Part, ...]
    ends: bool

    @property
    def subject(self) -> str:
        return f"organ:{self.organ}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:  # noqa: ARG002 - not every change asks for all
        return organ_resources(session, [self.organ, *(part.organ.parent or PLATFORM for part in self.parts)])

    def apply(self, act: Act, at: datetime) -> Differences:
        act.facts["parts"] = [part.organ.id for part in self.parts]
        return organs.split(act, self.organ, self.parts, at, ends=self.ends)


class DissolveOrgan(Change):
    """The end of an organ."""

    verb: ClassVar[str] = "authz.dissolve-organ"
    kind: Literal["dissolve-organ"] = "dissolve-organ"
    organ: str

    @property
    def subject(self) -> str:
        return f"organ:{self.organ}"

    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:  # noqa: ARG002 - not every change asks for all
        return organ_resources(session, [self.organ])

    def apply(self, act: Act, at: datetime) -> Differences:
        return organs.dissolve(act, self.organ, at)
