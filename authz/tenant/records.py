"""What is told of tenants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from yinxin.clock import rfc3339
from yinxin.quota import NEAR, Measure
from yinxin.text import Text

Mark = Literal["crimson", "jade", "indigo", "plum", "slate", "ochre"]
#: colours of a tenant's pages; each is dark enough for white letters (WCAG 2.2, 1.4.3), and its style is in the web kit
MARKS: tuple[Mark, ...] = get_args(Mark)
MARK_TEXT: Mapping[str, Text] = {
    "crimson": Text("朱红", "crimson"),
    "jade": Text("石绿", "jade"),
    "indigo": Text("靛青", "indigo"),
    "plum": Text("绛紫", "plum"),
    "slate": Text("青灰", "slate"),
    "ochre": Text("赭黄", "ochre"),
}


State = Literal["free", "near", "full"]


@dataclass(frozen=True, slots=True)
class Use:
    """How much of what was agreed a tenant uses."""

    measure: Measure
    used: int
    most: int

    @property
    def state(self) -> State:
        """Full, near it (from nine tenths on), or free."""
        if self.used >= self.most:
            return "full"
        return "near" if self.used >= NEAR * self.most else "free"

    @property
    def text(self) -> Text:
        """In words."""
        name, used, most = self.measure.text, self.measure.said(self.used), self.measure.said(self.most)
        return Text(f"{name.zh}已用 {used.zh}，最多 {most.zh}", f"{name.en}: {used.en} of {most.en}")

    def fields(self) -> dict[str, Any]:
        """For machines."""
        return {"measure": str(self.measure), "used": self.used, "most": self.most, "state": self.state}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, that is or was; `host` is the organ right above it, `people` hold a post in it now.

    `more` are figures of other floors: what was counted, by name. `acted` is when anything was last done for it. `quotas` say how much of
    what was agreed it uses; what has no limit is not among them.
    """

    organ: str
    name: Text
    host: str | None
    mark: str
    since: datetime
    proposal: str
    ended: datetime | None
    organs: int
    people: int
    more: Mapping[str, int]
    acted: datetime | None
    quotas: tuple[Use, ...] = ()

    @property
    def place(self) -> str:
        """Where it stands in the list: one organ may have been a tenant more than once."""
        return f"{self.organ}@{rfc3339(self.since)}"

    @property
    def warned(self) -> tuple[Use, ...]:
        """The quotas that are used up, or nearly."""
        return tuple(each for each in self.quotas if each.state != "free")

    def fields(self) -> dict[str, Any]:
        """For machines."""
        return {
            "organ": self.organ,
            "name": {"zh": self.name.zh, "en": self.name.en},
            "host": self.host,
            "mark": self.mark,
            "since": rfc3339(self.since),
            "proposal": self.proposal,
            "ended": rfc3339(self.ended) if self.ended else None,
            "organs": self.organs,
            "people": self.people,
            **self.more,
            "acted": rfc3339(self.acted) if self.acted else None,
            "quotas": [each.fields() for each in self.quotas],
        }
