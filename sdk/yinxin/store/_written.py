"""What this process wrote into the outbox last, by its octets.

Octets that are the same as those our own encoder has just made are canonical, and say what the record says: whoever enters
them into the log need not read them to know.
"""

import threading
from collections import OrderedDict
from typing import Any

from yinxin.act import Event

#: records that are remembered: what waits for the log in a busy second
_MOST = 2048


class Written:
    """Records by what they were encoded to; the oldest are forgotten first. Shared by threads."""

    def __init__(self) -> None:
        self._records: OrderedDict[bytes, Event] = OrderedDict()
        self._changing = threading.Lock()

    def row(self, record: Event) -> dict[str, Any]:
        """The record as the outbox takes it, and remembered."""
        row = record.row()
        self.keep(row["data"], record)
        return row

    def keep(self, data: bytes, record: Event) -> None:
        """Remember a record that was encoded to these octets. One that is rolled back afterwards is no harm."""
        with self._changing:
            self._records[data] = record
            if len(self._records) > _MOST:
                self._records.popitem(last=False)

    def take(self, data: bytes) -> Event | None:
        """The record that was encoded to exactly these octets, once; None when they were written elsewhere, or long ago."""
        with self._changing:
            return self._records.pop(data, None)
