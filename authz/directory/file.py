"""The directory as one reviewed file: organs, posts, people, appointments (TOML in the demo)."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from authz.errors import BadField, UnreadableDirectory
from yinxin.authz import Level
from yinxin.faults import first_fault


def read_toml(path: Path) -> dict[str, Any]:
    """The values of a TOML file; raises UnreadableDirectory."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableDirectory(file=str(path), reason=str(error)) from error


class Entry(BaseModel):
    """A row of the file; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, str_min_length=1)


class OrganEntry(Entry):
    """An organ; `parent` is empty for the top."""

    id: str
    parent: str | None = None
    name_zh: str
    name_en: str
    short_name: str
    level: Literal["province", "city", "county", "township", "department"]
    division: str
    uscc: str | None = None
    line: str | None = Field(default=None, max_length=40)


class PostEntry(Entry):
    """A post of an organ."""

    id: str
    organ: str
    name_zh: str
    name_en: str
    roles: tuple[str, ...] = ()


class PersonEntry(Entry):
    """A person."""

    id: str
    name: str
    clearance: Level = "internal"


class AppointmentEntry(Entry):
    """A person in a post from `valid_from` until before `valid_to`; both with an offset. Acting 代理 is until relieved."""

    person: str
    post: str
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None = None
    kind: Literal["substantive", "acting"] = "substantive"

    @property
    def key(self) -> tuple[str, str, datetime]:
        """What makes it one appointment and no other."""
        return self.person, self.post, self.valid_from


class DirectoryFile(Entry):
    """The whole file. Rows that are already loaded may stand in it again; rows left out of it stay as they are."""

    organs: tuple[OrganEntry, ...] = ()
    posts: tuple[PostEntry, ...] = ()
    people: tuple[PersonEntry, ...] = ()
    appointments: tuple[AppointmentEntry, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read TOML; raises UnreadableDirectory, or BadField naming row and field."""
        return cls.parse(read_toml(path))

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Check the form of values read from somewhere; raises BadField naming row and field."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            place, reason = first_fault(error)
            row, field = _place(place)
            raise BadField(row=row, field=field, reason=reason) from error


def _place(location: tuple[int | str, ...]) -> tuple[str, str]:
    """`organs[3]`, `uscc` from pydantic's path; the row counts from 1, as people do."""
    table, *rest = location or ("*",)
    if rest and isinstance(rest[0], int):
        return f"{table}[{rest[0] + 1}]", ".".join(str(part) for part in rest[1:]) or "*"
    return str(table), "*"
