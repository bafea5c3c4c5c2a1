"""Grants as plain values."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from authz.grant.errors import BadHolder
from authz.grant.models import GrantRow
from yinxin.clock import parse_rfc3339, rfc3339

#: the holder's kind, and Cedar's type for it: decisions see a registered system as a person whose name begins with `client:`
KINDS: Mapping[str, str] = {"person": "Person", "post": "Post", "organ": "Organ", "client": "Person"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A grant that somebody wants: `template` opened to `holder` (`person:ID`, `post:ID`, `organ:ID`, `client:ID`) over `organ`.

    With `resource` (`Type:id`) over that one thing of the organ's part of the tree.
    """

    template: str
    holder: str
    organ: str
    valid_from: datetime
    valid_to: datetime
    source: str
    resource: str | None = None

    def fields(self) -> dict[str, Any]:
        """The grant as the content of a proposal, and as facts of its record."""
        alone = {} if self.resource is None else {"resource": self.resource}
        return alone | {
            "template": self.template,
            "holder": self.holder,
            "organ": self.organ,
            "valid_from": rfc3339(self.valid_from),
            "valid_to": rfc3339(self.valid_to),
            "source": self.source,
        }

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The grant that a proposal's content describes."""
        period = {name: parse_rfc3339(fields[name]) for name in ("valid_from", "valid_to")}
        return cls(**{**fields, **period})


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant on record; in force from `valid_from` until before `valid_to`, or until it was revoked."""

    id: str
    template: str
    holder: str
    organ: str
    valid_from: datetime
    valid_to: datetime
    source: str
    granted_by: str
    granted_at: datetime
    proposal: str | None
    revoked_at: datetime | None
    revoked_by: str | None
    revoked_because: str | None
    resource: str | None = None

    @classmethod
    def of(cls, row: GrantRow) -> Self:
        """The grant of a row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})

    def state(self, at: datetime) -> str:
        """`revoked`, `future`, `ended` or `in-force`."""
        if self.revoked_at is not None and self.revoked_at <= at:
            return "revoked"
        if at < self.valid_from:
            return "future"
        return "ended" if self.valid_to <= at else "in-force"

    def link(self) -> dict[str, str]:
        """The grant as decisions see and record it."""
        alone = {} if self.resource is None else {"resource": self.resource}
        return {
            "id": self.id,
            "template": self.template,
            "holder": self.holder,
            "organ": self.organ,
            **alone,
        }


def holder(text: str) -> tuple[str, str]:
    """Cedar's type and name of a holder; raises BadHolder."""
    kind, separator, identifier = text.partition(":")
    if not separator or kind not in KINDS or not identifier:
        raise BadHolder(holder=text[:80])
    return KINDS[kind], text if kind == "client" else identifier


def bearing(
    grants: Iterable[Mapping[str, Any]], resource: str, path: Container[str]
) -> tuple[Mapping[str, Any], ...]:
    """Those of the grants that may bear on `resource` (`Type:id`), whose organ and those above it are `path`.

    One over a single thing bears on that thing, and only while it is of the part of the tree that the grant was given for.
    """
    return tuple(
        each
        for each in grants
        if "resource" not in each or (each["resource"] == resource and each["organ"] in path)
    )
