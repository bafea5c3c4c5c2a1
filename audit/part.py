"""Which part of the log is whose: a tenant's auditor reads what is of the tenant, the host's everything else.

An entry is of a tenant when an organ of it acted, or when the tenant's thing was acted upon. What the platform does of itself is
the host's, and a tenant sees it where the record names an organ of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.index.terms import Facet, term


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the log: of these organs (`of`), or all but what these did (`without`); neither: the whole."""

    of: frozenset[str] = field(default_factory=frozenset)
    without: frozenset[str] = field(default_factory=frozenset)

    @property
    def group(self) -> tuple[int, ...]:
        """The index terms of which an entry of the part has one; none: every entry may be of it."""
        acted = (term(Facet.ORGAN, each) for each in sorted(self.of))
        named = (term(Facet.OBJECT, f"organ:{each}") for each in sorted(self.of))
        return (*acted, *named)

    def has(self, event: Mapping[str, Any]) -> bool:
        """Whether an event is not one of those left out."""
        return event["actor"].get("organ") not in self.without


WHOLE = Part()


def hosts(organs: Collection[str]) -> Part:
    """The part that is no tenant's, where these organs lie in tenants."""
    return Part(without=frozenset(organs))
