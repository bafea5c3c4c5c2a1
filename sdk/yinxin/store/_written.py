"""What this process wrote into the outbox last, by its octets.

Octets that are the same as those our own encoder has just made are canonical, and say what the record says: whoever enters
them into the log need not read them to know.
"""

import threading
from collections import OrderedDict
from datetime import datetime
from typing import Any, NamedTuple

from yinxin.act import Event

#: records that are remembered: what waits for the log in a busy second
_MOST = 2048


class Said(NamedTuple):
    """What a record says of what it can be found by."""

    id: str
    time: datetime
    verb: str
    subject: str
    actor: str
    outcome: str
    request: str | None

    @classmethod
    def of(cls, record: Event) -> "Said":
        """What this record says."""
        return cls(
            record.id,
            record.time,
            record.verb,
            record.subject,
            record.actor.id,
            record.outcome.value,
            record.request,
        )


class Written:
    """What records say, by what they were encoded to; the oldest are forgotten first. Shared by threads."""

    def __init__(self) -> None:
        self._records: OrderedDict[bytes, Said] = OrderedDict()
        self._changing = threading.Lock()

    def row(self, record: Event) -> dict[str, Any]:
        """The record as the outbox takes it, and remembered."""
        row = record.row()
        self.keep(row["data"], Said.of(record))
        return row

    def keep(self, data: bytes, said: Said) -> None:
        """Remember what was encoded to these octets. A record that is rolled back afterwards is no harm."""
        with self._changing:
            self._records[data] = said
            if len(self._records) > _MOST:
                self._records.popitem(last=False)

    def take(self, data: bytes) -> Said | None:
        """What the record says that was encoded to exactly these octets, once; None when they were written elsewhere, or long ago."""
        with self._changing:
            return self._records.pop(data, None)
