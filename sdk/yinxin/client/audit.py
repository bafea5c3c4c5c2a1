"""The audit log: entries, their proofs, and the newest checkpoint."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from yinxin.client._http import Connection, segment
from yinxin.clock import rfc3339
from yinxin.errors import NotFound

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
        """The entries that match, newest first, by `actor`, `post`, `organ`, `under`, `object`, `verb`, `since` and others."""
        return self._connection.pages(f"{_PATH}/entries", query)

    def export(self, format: Literal["csv", "jsonl"], **query: str) -> bytes:  # noqa: A002 - the parameter's name
        """The entries that match as a file; of JSON Lines each line is a leaf of the log."""
        answer = self._connection.send("GET", f"{_PATH}/entry-export", params={**query, "format": format})
        return answer.content

    def person_timeline(self, person: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Everything a person did and that was done to her, newest first; each with the `part` she had."""
        return self._connection.pages(f"{_PATH}/people/{segment(person)}/timeline", query)

    def object_timeline(self, name: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Everything done to a thing (`certificate:…`) and that names it, newest first."""
        return self._connection.pages(f"{_PATH}/objects/{segment(name)}/timeline", query)

    def questions(self) -> Iterator[Mapping[str, Any]]:
        """The saved questions that one may ask."""
        return self._connection.pages(f"{_PATH}/questions", {})

    def answer(self, question: str) -> Iterator[Mapping[str, Any]]:
        """The entries that a saved question asks for now, newest first."""
        return self._connection.pages(f"{_PATH}/questions/{segment(question)}/answer", {})

    def keep(
        self, name: str, filters: Mapping[str, str], *, days: int | None = None, shared: bool = False
    ) -> Mapping[str, Any]:
        """Keep a question under a name; `days`: of the last so many days, whenever it is asked."""
        body = {"name": name, "filters": dict(filters), "days": days, "shared": shared}
        kept: Mapping[str, Any] = self._connection.json("POST", f"{_PATH}/questions", json=body)
        return kept

    def share(self, question: str, *, shared: bool = True) -> None:
        """Let the other auditors ask one's own question, or no longer."""
        self._connection.send(
            "PUT", f"{_PATH}/questions/{segment(question)}/sharing", json={"shared": shared}
        )

    def delete_question(self, question: str) -> None:
        """Delete a question of one's own."""
        self._connection.send("DELETE", f"{_PATH}/questions/{segment(question)}")

    def report_kinds(self) -> Sequence[Mapping[str, Any]]:
        """The kinds of report, and what each tells."""
        kinds: Sequence[Mapping[str, Any]] = self._connection.json("GET", f"{_PATH}/report-kinds")["kinds"]
        return kinds

    def make_report(
        self, kind: str, since: datetime, until: datetime, *, about: str | None = None
    ) -> Mapping[str, Any]:
        """Make a report of [since, until) now; its `id` is what the other calls take."""
        body = {"kind": kind, "since": rfc3339(since), "until": rfc3339(until), "about": about}
        made: Mapping[str, Any] = self._connection.json("POST", f"{_PATH}/reports", json=body)
        return made

    def reports(self, kind: str | None = None) -> Iterator[Mapping[str, Any]]:
        """The reports that were made, newest first."""
        return self._connection.pages(f"{_PATH}/reports", {"kind": kind})

    def report(self, id: str) -> Mapping[str, Any]:  # noqa: A002 - the field's name
        """A report: what it says (`content`), and the names of its `files`."""
        found: Mapping[str, Any] = self._connection.json("GET", f"{_PATH}/reports/{segment(id)}")
        return found

    def report_file(self, id: str, name: str = "report.pdf") -> bytes:  # noqa: A002 - the field's name
        """One file of a report; the signed one unless another is named (`yinxin.report.verify` checks it)."""
        path = f"{_PATH}/reports/{segment(id)}/files/{segment(name)}"
        return self._connection.send("GET", path).content

    def schedule_report(
        self,
        kind: str,
        every: Literal["day", "week", "month", "quarter", "year"],
        *,
        about: str | None = None,
    ) -> Mapping[str, Any]:
        """Have a report made for each whole period from the present one on."""
        body = {"kind": kind, "every": every, "about": about}
        begun: Mapping[str, Any] = self._connection.json("POST", f"{_PATH}/report-schedules", json=body)
        return begun

    def end_schedule(self, id: str) -> None:  # noqa: A002 - the field's name
        """Make no more of them."""
        self._connection.send("DELETE", f"{_PATH}/report-schedules/{segment(id)}")

    def proof(self, id: str) -> bytes:  # noqa: A002 - the field's name
        """The self-contained inclusion proof of one entry (`yinxin.tlog.LogProof.decode`)."""
        return self._connection.send("GET", f"{_PATH}/entries/{segment(id)}/proof").content

    def policy(self) -> bytes | None:
        """The policy of witnesses in force (`yinxin.tlog.Policy.parse`); None when there is none."""
        try:
            return self._connection.send("GET", f"{_PATH}/policy", public=True).content
        except NotFound:
            return None

    def timestamp(self, size: int) -> bytes | None:
        """The RFC 3161 token (DER) over the text of the checkpoint of that size; None when it has none."""
        try:
            return self._connection.send("GET", f"{_PATH}/checkpoints/{size}/timestamp", public=True).content
        except NotFound:
            return None

    def record(self, size: int) -> bytes | None:
        """The evidence record (RFC 4998, DER) of the checkpoint of that size; None when it was never timestamped."""
        try:
            return self._connection.send("GET", f"{_PATH}/checkpoints/{size}/record", public=True).content
        except NotFound:
            return None

    def checkpoint(self) -> str:
        """The newest signed checkpoint (C2SP tlog-checkpoint)."""
        return self._connection.send("GET", f"{_PATH}/checkpoint", public=True).text
