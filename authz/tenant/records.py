"""What is told of tenants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from yinxin.clock import rfc3339
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


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, that is or was; `host` is the organ right above it, `people` hold a post in it now.

    `more` are figures of other floors: what was counted, by name. `acted` is when anything was last done for it.
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
        }
