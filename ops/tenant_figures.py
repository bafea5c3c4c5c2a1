"""What floors above authorization count of tenants (`authz.tenant.Figures`): documents, octets of files, the last act."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from apps.document.quota import attached, drafted
from audit.part import Part
from yinxin.calendar import year_of

if TYPE_CHECKING:
    from ops.platform import Platform


class TenantFigures:
    """Counts for the organs of one tenant; the log is asked for the newest entry alone."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    def counted(self, organs: Sequence[str]) -> Mapping[str, int]:
        """Documents that they drafted, those of this year among them, and octets of the files that belong to these."""
        year = year_of(self._platform.clock.now())
        with self._platform.store.read() as session:
            return {
                "documents": drafted(session, organs),
                "documents_this_year": drafted(session, organs, year),
                "octets": attached(session, organs),
            }

    def acted(self, organs: Sequence[str]) -> datetime | None:
        """When the newest entry of the log that is of one of them was made."""
        if not organs:
            return None
        found = self._platform.audit.entries(limit=1, part=Part(of=frozenset(organs)))
        return found[0].time if found else None
