"""An import: looked at whole, rehearsed or made, by the proposal that names exactly these tables."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field
from sqlalchemy.orm import Session

from authz.change.base import wire
from authz.directory.apart import tenants_apart
from authz.directory.file import Entry
from authz.directory.load import keep_powers_apart, one_at_a_time
from authz.directory.past import Difference
from authz.directory.rehearse import rehearsal
from authz.roster.check import Checker, Finding
from authz.roster.enter import Entering
from authz.roster.errors import ComesToElse, GivesToDecider, RosterChanged, RosterFaulty
from authz.roster.known import Known
from authz.roster.read import TABLES, digest, lines
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.proposal import Approved, Outcome, ProposalKind
from yinxin.store import Act, Store
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.decide import Decisions
    from authz.service import Authz

VERB = "authz.import"
#: the folder that whoever carries a proposal out hands in with it
_OFFERED: ContextVar[Path | None] = ContextVar("roster", default=None)


class RosterContent(Entry):
    """What is proposed: the digest of the tables, and what they would come to when it was proposed."""

    digest: str = Field(pattern=r"[0-9a-f]{64}")
    counts: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Report:
    """What an import would come to, or came to: counts by table, the first differences, the faults."""

    digest: str
    counts: Mapping[str, Mapping[str, int]]
    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...]
    faults: int

    def require_sound(self) -> None:
        """Raise RosterFaulty when anything is wrong with the tables."""
        if self.faults:
            first = self.findings[0]
            raise RosterFaulty(
                count=self.faults, file=first.file, line=first.line, field=first.field, reason=first.text
            )

    def fields(self) -> dict[str, Any]:
        """For machines."""
        return {
            "digest": self.digest,
            "counts": {table: dict(counts) for table, counts in self.counts.items()},
            "faults": self.faults,
            "findings": [
                {
                    "file": each.file,
                    "line": each.line,
                    "field": each.field,
                    "zh": each.text.zh,
                    "en": each.text.en,
                }
                for each in self.findings
            ],
            "differences": [
                {"subject": d.subject, "field": d.field, "before": wire(d.before), "after": wire(d.after)}
                for d in self.differences
            ],
        }


class Roster:
    """Imports of this site."""

    def __init__(self, store: Store, decisions: "Decisions") -> None:
        self._store = store
        self._decisions = decisions

    def rehearse(self, actor: Actor, folder: Path) -> Report:
        """Every fault and every difference, and nothing changed; raises Denied, RosterUnreadable."""
        resource = Resource("Directory", "directory", PLATFORM)
        self._decisions.require(actor, "authz.rehearse-import", resource)
        with rehearsal(self._store, actor, VERB, "directory") as act:
            return self._whole(act, folder)

    @contextmanager
    def offered(self, folder: Path) -> Iterator[str]:
        """Hand in the tables for a proposal carried out inside this block; gives the digest that names them."""
        token = _OFFERED.set(folder)
        try:
            yield digest(folder)
        finally:
            _OFFERED.reset(token)

    def enter(self, act: Act, named: str, deciding: frozenset[str] = frozenset()) -> Report:
        """Enter the tables of that digest, whole or not at all; `deciding` are the people who decided on it.

        Raises RosterChanged, RosterFaulty, PowersMeet, RosterUnreadable; GivesToDecider when it gives one of them something.
        """
        folder = _OFFERED.get()
        if folder is None:
            raise RosterChanged(approved=named[:16], found="-")
        if (found := digest(folder)) != named:
            raise RosterChanged(approved=named[:16], found=found[:16])
        report = self._whole(act, folder, deciding)
        report.require_sound()
        return report

    def _whole(self, act: Act, folder: Path, deciding: frozenset[str] = frozenset()) -> Report:
        named, session = digest(folder), act.session
        one_at_a_time(session)
        checker = Checker(Known.of(session))
        # 1. every row of every table is looked at before the first is entered
        for table in TABLES:
            for line in lines(folder, table):
                checker.row(line)
        checker.tree()
        findings = checker.findings
        if findings.count:
            return Report(named, {}, (), tuple(findings.first), findings.count)
        # 2. entered, table by table; the rows are read again instead of kept
        entering = Entering(act, self._store.clock.now(), watched=deciding)
        with tenants_apart(session):
            entering.organs(list(checker.organs))
            del checker
            entering.posts(_entries(folder, "posts"))
            entering.people(_entries(folder, "people"))
            entering.appointments(_entries(folder, "appointments"))
        # 3. and held against what no row shows by itself
        keep_powers_apart(session)
        if entering.gaining:
            raise GivesToDecider(people=", ".join(sorted(entering.gaining)))
        counts = {table: tally.fields() for table, tally in entering.tallies.items()}
        return Report(named, counts, tuple(entering.differences), (), 0)


def _entries(folder: Path, table: str) -> Iterator[Any]:
    make = cast("Callable[[object], Entry]", TABLES[table].model_validate)
    return (make(line.values) for line in lines(folder, table))


def _describe(_authz: "Authz", content: RosterContent) -> tuple[Text, ...]:
    head = Text(f"导入表的摘要 {content.digest}", f"tables with the digest {content.digest}")
    return (
        head,
        *(
            Text(
                f"{table}：新增 {counts.get('new', 0)}，变更 {counts.get('changed', 0)}，终止 {counts.get('ended', 0)}，不变 {counts.get('untouched', 0)}",
                f"{table}: {counts.get('new', 0)} new, {counts.get('changed', 0)} changed, {counts.get('ended', 0)} ended, {counts.get('untouched', 0)} as they were",
            )
            for table, counts in content.counts.items()
        ),
    )


def _import(authz: "Authz", approved: Approved[RosterContent], session: Session) -> Outcome:
    act = Act(approved.proposal, approved.actor, VERB, "directory", session)
    # who is in the tables is known only here, to whoever hands them in
    deciding = frozenset({approved.actor.id, *(each["person"] for each in approved.approvals)})
    counts = authz.roster.enter(act, approved.content.digest, deciding).counts
    _hold_counts(approved.content.counts, counts)
    return dict(counts)


def _hold_counts(told: Mapping[str, Mapping[str, int]], found: Mapping[str, Mapping[str, int]]) -> None:
    """What the approvers were told is what comes of it: the tables they never saw; raises ComesToElse."""
    for table in sorted(told.keys() | found.keys()):
        one, other = (
            {name: count for name, count in each.get(table, {}).items() if count} for each in (told, found)
        )
        if one != other:
            raise ComesToElse(table=table, approved=_counted(one), found=_counted(other))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "0"


IMPORT: ProposalKind["Authz", Any] = ProposalKind(
    name="authz.import-directory",
    title=Text("导入名录表", "import tables into the directory"),
    content=RosterContent,
    proposers=frozenset({"administrator", "security-officer"}),
    approvers=frozenset({"security-officer"}),
    describe=_describe,
    within=_import,
)
