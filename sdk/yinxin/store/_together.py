"""Acts of several requests that share one transaction."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yinxin.act import Recurring
from yinxin.personal import Salted
from yinxin.store._number import Taken, name_of
from yinxin.store._written import Said, Written

#: a verb's facts that go into the leaf as they are, and those that are personal
_Apart = Callable[[str, Mapping[str, Any]], tuple[Mapping[str, Any], dict[str, Salted]]]


@dataclass
class Together:
    """Acts of several requests that share one transaction; each is done and recorded for itself, or none is."""

    connection: sa.Connection
    #: where its records are remembered
    written: Written = field(repr=False)
    joined: list[tuple[Recurring, str, str | None, Mapping[str, Any]]] = field(default_factory=list)

    def add(self, common: Recurring, id_: str, request: str | None, **facts: Any) -> None:
        """One act, its record `id_`, that `request` asked for; no fact of it is personal."""
        self.joined.append((common, id_, request, facts))

    def rows(self, now: datetime, taken: Taken, apart: _Apart) -> list[dict[str, Any]]:
        """The records as the outbox takes them, with the numbers that were taken; raises what `apart` raises."""
        return list(self._rows(now, taken, apart))

    def _rows(self, now: datetime, taken: Taken, apart: _Apart) -> Iterator[dict[str, Any]]:
        source = name_of(taken.source)
        for at, (common, id_, request, facts) in enumerate(self.joined):
            clear, personal = apart(common.verb, facts)
            if personal:
                raise TypeError(f"{common.verb} has personal facts and is recorded alone")
            row = common.row(id_, now, request, clear, (source, taken.first + at))
            said = Said(id_, now, common.verb, common.subject, common.actor, common.outcome, request)
            self.written.keep(row["data"], said)
            yield row
