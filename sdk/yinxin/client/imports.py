"""Imports of the directory from tables: `organs`, `posts`, `people`, `appointments` as CSV."""

import json
from collections.abc import Mapping
from typing import Any

from yinxin.client._http import Connection, segment
from yinxin.wire import Reply, Words

_PATH = "/api/authz/v1/imports"


class ImportFinding(Reply):
    """One fault: where it is, and what is wrong with the remedy."""

    file: str
    line: int
    field: str
    text: Words


class ImportReport(Reply):
    """What an import would come to; `faults` is how many there are, `findings` the first of them."""

    digest: str
    counts: Mapping[str, Mapping[str, int]]
    faults: int
    findings: tuple[ImportFinding, ...]
    differences: tuple[Mapping[str, Any], ...]


class Imports:
    """Calls about imports, for administrators and security officers; all raise Denied for anybody else."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rehearse(self, tables: Mapping[str, bytes]) -> ImportReport:
        """Every fault of the tables (by name, without `.csv`), or what would change; nothing is changed."""
        answer = self._connection.json("POST", f"{_PATH}/rehearsal", files=_files(tables))
        return ImportReport.model_validate(answer)

    def propose(self, tables: Mapping[str, bytes], *, reason: str, basis: str = "") -> str:
        """Propose exactly these tables, rehearsed first; the proposal's identifier. Raises what is wrong with them."""
        files = _files(tables)
        files["body"] = (None, json.dumps({"reason": reason, "basis": basis}), "application/json")
        return str(self._connection.json("POST", _PATH, files=files)["proposal"])

    def execute(self, proposal: str, tables: Mapping[str, bytes]) -> Mapping[str, Any]:
        """Carry an approved import out with the very tables that were approved; what was entered."""
        path = f"{_PATH}/{segment(proposal)}/execution"
        counts: Mapping[str, Any] = self._connection.json("POST", path, files=_files(tables))["counts"]
        return counts


def _files(tables: Mapping[str, bytes]) -> dict[str, Any]:
    return {name: (f"{name}.csv", data, "text/csv") for name, data in tables.items()}
