"""The audit log: entries, their proofs, and the newest checkpoint."""

from collections.abc import Iterator, Mapping
from typing import Any

from yinxin.client._http import Connection, segment

_PATH = "/api/audit/v1"


class Audit:
    """Calls to the log. Verify what it says with `yinxin.tlog`: that needs no server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entry(self, id: str) -> Mapping[str, Any]:  # noqa: A002 - the field's name
        """One entry by the identifier that the answer to an act named (`Audit-Entry`)."""
        entry: Mapping[str, Any] = self._connection.json("GET", f"{_PATH}/entries/{segment(id)}")
        return entry

    def entries(self, **query: str) -> Iterator[Mapping[str, Any]]:
        """The entries that match, newest last."""
        return self._connection.pages(f"{_PATH}/entries", query)

    def proof(self, id: str) -> bytes:  # noqa: A002 - the field's name
        """The self-contained inclusion proof of one entry (`yinxin.tlog.LogProof.decode`)."""
        return self._connection.send("GET", f"{_PATH}/entries/{segment(id)}/proof").content

    def checkpoint(self) -> str:
        """The newest signed checkpoint (C2SP tlog-checkpoint)."""
        return self._connection.send("GET", f"{_PATH}/checkpoint", public=True).text
