"""Rows that single acts leave, held against the entries of these acts: contradictions, reports, questions, renewals, keeping.

An entry that stands in an archive says no more here than that it was made, and when: of what it made, values are not compared.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.archive.make import ARCHIVE
from audit.decisions import REMOVED
from audit.errors import StateBroken
from audit.models import EntryRow
from audit.question.models import QuestionRow
from audit.question.questions import DELETE as DELETE_QUESTION
from audit.question.questions import KEEP as KEEP_QUESTION
from audit.question.questions import SHARE as SHARE_QUESTION
from audit.renewal.keep import BUNDLE
from audit.renewal.keep import KEEP as KEEP_BUNDLE
from audit.renewal.models import BranchRow, KeptRow, LinkRow
from audit.renewal.renew import RENEW
from audit.report.make import MAKE, PDF, SIGN
from audit.report.models import ReportFileRow, ReportRow, ScheduleRow
from audit.report.schedule import BEGIN, END
from audit.witness.contradiction import FOUND
from audit.witness.cosigner import SUSPECT
from audit.witness.models import ContradictionRow, SuspectRow
from yinxin import canonical
from yinxin.act import Outcome
from yinxin.clock import rfc3339
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.evidence.compare import digests
from yinxin.evidence.record import Link
from yinxin.report import REPORT
from yinxin.store import OutboxRow
from yinxin.text import Text

_QUESTIONS = frozenset({KEEP_QUESTION, SHARE_QUESTION, DELETE_QUESTION})
_SCHEDULES = frozenset({BEGIN, END})
_VERBS = _QUESTIONS | _SCHEDULES | {FOUND, SUSPECT, MAKE, SIGN, RENEW, KEEP_BUNDLE, ARCHIVE}
_UNRECORDED = Text("日志中没有对应的操作", "the log has no act that made it")
_ALTERED = Text("与日志所载不同", "it is not what the log says")


@dataclass(frozen=True, slots=True)
class _Said:
    """What an entry says: its event, and subject and facts where its content is here."""

    event: str
    verb: str
    subject: str
    facts: Mapping[str, Any] | None

    @property
    def of(self) -> str:
        """The identifier in its subject."""
        return self.subject.partition(":")[2]


class Recorded:
    """The acts of one log that left such rows, in the order of its entries."""

    def __init__(self) -> None:
        self._said: list[_Said] = []
        #: by verb, the time of the newest of its entries whose content stands in an archive
        self._sealed: dict[str, datetime] = {}

    def note(self, row: EntryRow) -> None:
        """Remember what an entry says, if it is such an act."""
        if row.verb not in _VERBS or row.outcome != Outcome.DONE:
            return
        if row.data:
            self._say(canonical.decode(row.data))
        else:
            self._said.append(_Said(row.event, row.verb, "", None))
            self._sealed[row.verb] = max(row.time, self._sealed.get(row.verb, row.time))

    def wait(self, session: Session) -> None:
        """The same of the records that are still on their way into the log."""
        for data in session.scalars(sa.select(OutboxRow.data).order_by(OutboxRow.number)):
            try:
                event = canonical.decode(data)
            except YinxinError:
                continue  # the sequencer will say so
            if event.get("verb") in _VERBS and event.get("outcome") == Outcome.DONE:
                self._say(event)

    def check(self, session: Session) -> None:
        """Hold the tables against them; raises StateBroken with the first row that does not fit."""
        self._contradictions(session)
        self._suspects(session)
        self._reports(session)
        self._questions(session)
        self._schedules(session)
        self._renewals(session)
        self._kept(session)

    # --- inside ------------------------------------------------------------------------------------------------

    def _say(self, event: Mapping[str, Any]) -> None:
        self._said.append(_Said(event["id"], event["verb"], event["subject"], event.get("facts") or {}))

    def _of(self, *verbs: str) -> list[_Said]:
        return [each for each in self._said if each.verb in verbs]

    def _by_entry(
        self, verb: str, table: Text, rows: Iterable[tuple[str, str, Mapping[str, Any]]]
    ) -> dict[str, _Said]:
        """Rows (the entry that made it, what it is called, its values), each once; gives what was said of each by its name."""
        said = {each.event: each for each in self._of(verb)}
        found: dict[str, _Said] = {}
        for entry, name, values in rows:
            made = said.pop(entry, None)
            if made is None:
                raise StateBroken(table=table, row=name, reason=_UNRECORDED)
            if made.facts is not None and any(made.facts.get(key) != each for key, each in values.items()):
                raise StateBroken(table=table, row=name, reason=_ALTERED)
            found[name] = made
        for each in said.values():
            raise StateBroken(table=table, row=each.of or each.event, reason=REMOVED)
        return found

    def _contradictions(self, session: Session) -> None:
        names = ("tree", "kind", "size", "theirs")
        rows = (
            (row.id, row.id, _values(row, names) | {"proven": row.note is not None})
            for row in session.scalars(sa.select(ContradictionRow))
        )
        self._by_entry(FOUND, Text("见证方发现的矛盾", "what witnesses contradict"), rows)

    def _suspects(self, session: Session) -> None:
        rows = (
            (row.id, row.id, _values(row, ("size", "held", "proven")))
            for row in session.scalars(sa.select(SuspectRow))
        )
        self._by_entry(SUSPECT, Text("所见证日志的疑点", "what does not continue in witnessed logs"), rows)

    def _reports(self, session: Session) -> None:
        table = Text("审计报告", "the reports")
        rows = session.scalars(sa.select(ReportRow).order_by(ReportRow.id)).all()
        told = self._by_entry(MAKE, table, ((row.entry, row.id, _of_report(row)) for row in rows))
        signed: dict[str, list[Any]] = {}
        for each in self._of(SIGN):
            signed.setdefault(each.of, []).append((each.facts or {}).get("pdf"))
        for row in rows:
            facts = told[row.id].facts
            files = {
                each.name: each.data
                for each in session.scalars(sa.select(ReportFileRow).where(ReportFileRow.report == row.id))
            }
            content = files.get(REPORT, b"")
            if facts is None:
                continue
            if digests(content) != facts.get("content"):
                raise StateBroken(table=table, row=f"{row.id}/{REPORT}", reason=_ALTERED)
            for name, digest in canonical.decode(content)["files"].items():
                if digests(files.get(name, b"")) != digest:
                    raise StateBroken(table=table, row=f"{row.id}/{name}", reason=_ALTERED)
            known = SIGN not in self._sealed
            if (
                row.sealed is not None
                and known
                and digests(files.get(PDF, b"")) not in signed.get(row.id, [])
            ):
                raise StateBroken(table=table, row=f"{row.id}/{PDF}", reason=_ALTERED)
            session.expunge_all()

    def _questions(self, session: Session) -> None:
        def change(values: dict[str, Any] | None, said: _Said) -> dict[str, Any] | None:
            facts = said.facts or {}
            if said.verb == DELETE_QUESTION:
                return None
            if said.verb == SHARE_QUESTION:
                return None if values is None else values | {"shared": facts.get("shared")}
            return {"filters": facts.get("filters"), "shared": facts.get("shared"), "days": facts.get("days")}

        rows = {
            row.id: _values(row, ("filters", "shared", "days"))
            for row in session.scalars(sa.select(QuestionRow).order_by(QuestionRow.id))
        }
        self._replayed(_QUESTIONS, Text("已保存的查询", "the saved questions"), rows, change)

    def _schedules(self, session: Session) -> None:
        def change(values: dict[str, Any] | None, said: _Said) -> dict[str, Any] | None:
            facts = said.facts or {}
            if said.verb == END:
                return None if values is None else values | {"ended": True}
            return {name: facts.get(name) for name in ("kind", "about", "every")} | {"ended": False}

        rows = {
            row.id: _values(row, ("kind", "about", "every")) | {"ended": row.ended is not None}
            for row in session.scalars(sa.select(ScheduleRow).order_by(ScheduleRow.id))
        }
        self._replayed(_SCHEDULES, Text("定期报告", "the schedules of reports"), rows, change)

    def _replayed(
        self,
        verbs: frozenset[str],
        table: Text,
        rows: Mapping[str, Mapping[str, Any]],
        change: Callable[[dict[str, Any] | None, _Said], dict[str, Any] | None],
    ) -> None:
        """Rows that later acts change, as they are after all of them; where some stand in archives nothing can be said."""
        if verbs & self._sealed.keys():
            return
        due: dict[str, dict[str, Any]] = {}
        for each in self._of(*verbs):
            values = change(due.pop(each.of, None), each)
            if values is not None:
                due[each.of] = values
        for name in sorted(rows.keys() | due.keys()):
            if name not in due:
                raise StateBroken(table=table, row=name, reason=_UNRECORDED)
            if name not in rows:
                raise StateBroken(table=table, row=name, reason=REMOVED)
            if rows[name] != due[name]:
                raise StateBroken(table=table, row=name, reason=_ALTERED)

    def _renewals(self, session: Session) -> None:
        """Every timestamp that renewed something is there, with as many branches as it renewed."""
        table = Text("续期", "the renewals")
        branches = Counter(session.scalars(sa.select(BranchRow.link)))
        there: dict[str, int] = {}
        for row in session.scalars(sa.select(LinkRow).where(LinkRow.data != b"").order_by(LinkRow.number)):
            digest = INTL.hash.digest(Link.read(row.data).token.der).hex()
            there[digest] = branches[row.number]
        for each in self._of(RENEW):
            token = (each.facts or {}).get("token")
            if token is None:
                continue  # a dry run, or one whose content stands in an archive
            if token not in there:
                raise StateBroken(table=table, row=each.of, reason=REMOVED)
            if there[token] != (each.facts or {}).get("count"):
                raise StateBroken(table=table, row=each.of, reason=_ALTERED)

    def _kept(self, session: Session) -> None:
        """Every file that was taken into keeping, or sealed, is still in the ledger."""
        there = {(row.kind, row.name) for row in session.execute(sa.select(KeptRow.kind, KeptRow.name))}
        for each in self._of(KEEP_BUNDLE, ARCHIVE):
            kind = BUNDLE if each.verb == KEEP_BUNDLE else "archive"
            if each.facts is not None and (kind, each.of) not in there:
                raise StateBroken(table=Text("保管的证据", "what is in keeping"), row=each.of, reason=REMOVED)


def _values(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _of_report(row: ReportRow) -> dict[str, Any]:
    times = {"since": rfc3339(row.since), "until": rfc3339(row.until)}
    return _values(row, ("kind", "about", "schedule", "entries")) | times
