"""The working-day calendar of a platform: fetched once, deadlines are then counted here (`yinxin.deadline`)."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from yinxin.calendar import Arrangement, Calendar
from yinxin.calendar.wire import DayOut, DueOut, YearOut
from yinxin.client._http import Connection
from yinxin.client.proposals import Proposal, Proposals
from yinxin.deadline import Period

_PATH = "/api/calendar/v1"
_PUBLISH = "calendar.publish"


class Calendars:
    """Calls about calendars. Reading needs no session."""

    def __init__(self, connection: Connection, proposals: Proposals) -> None:
        self._connection = connection
        self._proposals = proposals

    def calendar(self) -> Calendar:
        """The calendar in force, to count deadlines by."""
        return Calendar(each.arrangement for each in self.years())

    def years(self) -> Iterator[YearOut]:
        """The arrangement in force of every year that is published, the latest first."""
        return self._years("/years")

    def year(self, year: int) -> YearOut:
        """A year's arrangement in force; raises YearUnknown."""
        return YearOut.model_validate(self._connection.json("GET", f"{_PATH}/years/{year}", public=True))

    def versions(self, year: int) -> Iterator[YearOut]:
        """Every version of a year, newest first."""
        return self._years(f"/years/{year}/versions")

    def days(self, first: date, last: date) -> list[DayOut]:
        """The days from `first` to `last`, 800 at most."""
        query = {"first": str(first), "last": str(last)}
        answer = self._connection.json("GET", f"{_PATH}/days", params=query, public=True)
        return [DayOut.model_validate(each) for each in answer["items"]]

    def deadline(self, period: Period) -> DueOut:
        """When a period without stops and extensions ends, as the platform counts it."""
        fields = period.fields()
        query: Mapping[str, Any] = {name: fields[name] for name in ("start", "amount", "unit")}
        return DueOut.model_validate(
            self._connection.json("GET", f"{_PATH}/deadline", params=query, public=True)
        )

    def propose(self, arrangement: Arrangement, *, reason: str, basis: str) -> Proposal:
        """Propose a year's arrangement in place of what is in force; raises BadArrangement, Denied."""
        newest = next(self.versions(arrangement.year), None)
        content = {
            "arrangement": arrangement.model_dump(mode="json"),
            "replaces": newest.version if newest else 0,
        }
        return self._proposals.propose(_PUBLISH, content, reason=reason, basis=basis)

    def _years(self, path: str) -> Iterator[YearOut]:
        pages = self._connection.pages(f"{_PATH}{path}", {}, public=True)
        return (YearOut.model_validate(each) for each in pages)
