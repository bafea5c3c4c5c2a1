"""Making a report: gathered, recorded, proved, signed, kept.

1. What it says is gathered from the log, and recorded with its digests: from here on the report exists. 2. Its entries
and its own record are proved against a signed checkpoint, its pages are laid out, and the platform signs. 3. The signed
file is kept. A report that was cut off after the first step is finished from what was recorded, by the background.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from audit.ask import may_read
from audit.report.content import content_of, files_of
from audit.report.errors import AboutWhat, AlreadyMade, NoPeriod, ReportNotFound, UnknownKind
from audit.report.gather import gather
from audit.report.kind import Kind
from audit.report.kinds import KINDS
from audit.report.models import ReportFileRow, ReportRow
from audit.report.paint import paint
from audit.service import Log
from audit.tree import TREES
from yinxin import canonical
from yinxin.act import SYSTEM, Actor
from yinxin.authz import Decision
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.evidence.compare import digests
from yinxin.report import POLICY, PROOFS, RECORD, REPORT, Place, encode_proofs
from yinxin.steps import step

MAKE, SIGN, READ = "audit.make-report", "audit.sign-report", "audit.read-report"
#: the signed file
PDF = "report.pdf"
_logger = logging.getLogger("yinxin.audit")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report to be made: of what kind, for [since, until), about which person or thing, and by which schedule."""

    kind: str
    since: datetime
    until: datetime
    about: str | None = None
    schedule: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A report that was made; `sealed` is when its PDF was signed and kept, None while that is still to be done."""

    id: str
    kind: Kind
    about: str | None
    since: datetime
    until: datetime
    made: datetime
    by: str
    schedule: str | None
    entries: int
    entry: str
    sealed: datetime | None

    @classmethod
    def of(cls, row: ReportRow) -> Self:
        """A row as a value."""
        return cls(
            row.id,
            kind_named(row.kind),
            row.about,
            row.since,
            row.until,
            row.made,
            row.by,
            row.schedule,
            row.entries,
            row.entry,
            row.sealed,
        )

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "id": self.id,
            "kind": self.kind.name,
            "about": self.about,
            "since": rfc3339(self.since),
            "until": rfc3339(self.until),
            "made": rfc3339(self.made),
            "by": self.by,
            "schedule": self.schedule,
            "entries": self.entries,
            "entry": self.entry,
            "sealed": rfc3339(self.sealed) if self.sealed else None,
        }


def kind_named(name: str) -> Kind:
    """The kind of that name; raises UnknownKind."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKind(kind=name[:40], known=", ".join(KINDS)) from None


def check_about(kind: Kind, about: str | None) -> None:
    """That a dossier has its person or thing, and nothing else has one; raises AboutWhat."""
    if bool(kind.about) != bool(about):
        raise AboutWhat(kind=kind.name)


def make_for(log: Log, actor: Actor, wanted: Wanted) -> Made:
    """Make a report now; raises Denied, UnknownKind, AboutWhat, NoPeriod, ReportTooLarge, IndexBehind, LogUnavailable.

    When it cannot be signed at the moment it is given unsigned; the background signs it as soon as it can be.
    """
    made = record(log, actor, wanted, may_read(log, actor))
    try:
        return finish(log, made.id)
    except YinxinError as error:
        _logger.warning("report %s is recorded and not signed yet: %s", made.id, error)
        return made


def record(log: Log, actor: Actor, wanted: Wanted, decision: Decision | None) -> Made:
    """The first step; raises besides AlreadyMade when the schedule has this period's report."""
    kind = kind_named(wanted.kind)
    check_about(kind, wanted.about)
    now = log.store.clock.now()
    if not wanted.since < wanted.until <= now:
        raise NoPeriod
    log.sequence()  # what was done before now is in the log
    gathered = gather(log, kind, wanted.since, wanted.until, wanted.about)
    name = log.store.identifier()
    facts: dict[str, Any] = {
        "kind": kind.name,
        "since": rfc3339(wanted.since),
        "until": rfc3339(wanted.until),
        "entries": len(gathered.entries),
    }
    given = {"about": wanted.about, "schedule": wanted.schedule}
    facts |= {key: value for key, value in given.items() if value is not None}
    with log.store.act(actor, MAKE, f"report:{name}", **facts) as act:
        act.decision = None if decision is None else decision.record()
        row = ReportRow(
            id=name,
            kind=kind.name,
            about=wanted.about,
            since=wanted.since,
            until=wanted.until,
            made=now,
            by=actor.id,
            schedule=wanted.schedule,
            entries=len(gathered.entries),
            entry=act.id,
            sealed=None,
        )
        files = files_of(gathered)
        content = content_of(log, row, kind, gathered, files)
        act.facts["content"] = digests(content)
        act.session.add(row)
        try:
            act.session.flush()
        except IntegrityError as error:
            raise AlreadyMade(schedule=wanted.schedule or "-", until=facts["until"]) from error
        act.session.add_all(
            ReportFileRow(report=name, name=each, data=data)
            for each, data in {**files, REPORT: content}.items()
        )
        made = Made.of(row)
    step("audit.make-report.1-recorded")
    return made


def finish(log: Log, report: str) -> Made:
    """The other steps, for a report that was recorded; done already, it is left as it is. Raises what hinders signing."""
    made, files = _stored(log, report)
    if made.sealed is not None:
        return made
    content = canonical.decode(files[REPORT])
    own = log.settle(made.entry)
    checkpoint, hashes = log.places(content["indexes"])
    places = [Place(*each) for each in zip(content["indexes"], hashes, strict=True)]
    files |= {RECORD: own.encode(), PROOFS: encode_proofs(checkpoint.encode(), places)}
    policy = log.witnesses.policy(TREES[0])
    files |= {POLICY: policy.source} if policy else {}
    attached = [(name, _type(name), data) for name, data in files.items()]
    signed = log.around.seal(paint(content), attached, content["title"]["zh"])
    step("audit.make-report.2-signed")
    with log.store.act(SYSTEM, SIGN, f"report:{report}", pdf=digests(signed)) as act:
        row = act.session.scalars(sa.select(ReportRow).where(ReportRow.id == report).with_for_update()).one()
        if row.sealed is None:
            row.sealed = log.store.clock.now()
            kept = {name: files[name] for name in (RECORD, PROOFS, POLICY) if name in files} | {PDF: signed}
            act.session.add_all(
                ReportFileRow(report=report, name=name, data=data) for name, data in kept.items()
            )
        act.session.flush()
        made = Made.of(row)
    step("audit.make-report.3-kept")
    return made


def finish_all(log: Log) -> int:
    """Sign what was recorded and cut off; how many. One that cannot be signed hinders none of the others."""
    with log.store.read() as session:
        waiting = list(session.scalars(sa.select(ReportRow.id).where(ReportRow.sealed.is_(None))))
    failed: YinxinError | None = None
    for report in waiting:
        try:
            finish(log, report)
        except YinxinError as error:
            failed = error
    if failed is not None:
        raise failed
    return len(waiting)


def reports_for(
    log: Log, actor: Actor, *, kind: str | None = None, before: str | None = None, limit: int = 50
) -> tuple[Made, ...]:
    """Reports that were made, newest first; raises Denied, UnknownKind."""
    may_read(log, actor)
    query = sa.select(ReportRow).order_by(ReportRow.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(ReportRow.kind == kind_named(kind).name)
    if before is not None:
        query = query.where(ReportRow.id < before)
    with log.store.read() as session:
        return tuple(map(Made.of, session.scalars(query)))


def report_for(log: Log, actor: Actor, report: str) -> tuple[Made, Mapping[str, Any]]:
    """A report and what it says; recorded. Raises Denied, ReportNotFound."""
    decision = may_read(log, actor)
    made, files = _stored(log, report)
    with log.store.act(actor, READ, f"report:{made.id}") as act:
        act.decision = decision.record()
    content: Mapping[str, Any] = canonical.decode(files[REPORT])
    return made, content


def file_for(log: Log, actor: Actor, report: str, name: str) -> tuple[str, bytes]:
    """One file of a report, and its media type; recorded. Raises Denied, ReportNotFound."""
    decision = may_read(log, actor)
    with log.store.read() as session:
        row = session.get(ReportFileRow, (report[:40], name[:80]))
        if row is None:
            raise ReportNotFound(report=report[:80], file=name[:80])
        data = row.data
    with log.store.act(actor, READ, f"report:{report[:40]}", file=name) as act:
        act.decision = decision.record()
    return _type(name), data


def names_of(log: Log, report: str) -> Iterator[str]:
    """The names of a report's files, the signed one first."""
    query = sa.select(ReportFileRow.name).where(ReportFileRow.report == report)
    with log.store.read() as session:
        names = set(session.scalars(query))
    yield from sorted(names, key=lambda name: (name != PDF, name))


def _stored(log: Log, report: str) -> tuple[Made, dict[str, bytes]]:
    with log.store.read() as session:
        row = session.get(ReportRow, report[:40])
        if row is None:
            raise ReportNotFound(report=report[:80], file="-")
        kept = session.scalars(sa.select(ReportFileRow).where(ReportFileRow.report == row.id))
        return Made.of(row), {each.name: each.data for each in kept}


def _type(name: str) -> str:
    types = {
        "json": "application/json",
        "jsonl": "application/jsonl",
        "csv": "text/csv; charset=utf-8",
        "pdf": "application/pdf",
    }
    return types.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
