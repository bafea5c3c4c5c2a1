"""Questions to the log in somebody's name: permitted by the policies, and themselves recorded."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from audit.archive.make import ARCHIVE, make
from audit.check import CheckReport
from audit.entries import Entry, Filters
from audit.errors import EntryNotFound, NobodyMayAsk
from audit.forward.reconcile import RECONCILE, Reconciliation, against
from audit.forward.reconcile import resend as send_again
from audit.index.terms import terms_of
from audit.part import Part
from audit.service import Log
from audit.tree import TREES
from yinxin import canonical
from yinxin.act import Actor, Outcome
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.tlog import LogProof

READ, EXPORT, CHECK = "audit.read", "audit.export", "audit.check"
REINDEX, COPIES = "audit.reindex", "audit.read-copies"
#: the subject of acts on the log as a whole
LOG = "log"


def decider_of(log: Log) -> Decider:
    """Who decides who may ask the log; raises NobodyMayAsk."""
    if log.decider is None:
        raise NobodyMayAsk
    return log.decider


def may_read(log: Log, actor: Actor) -> Decision:
    """That she may read the log as a whole, but for what is tenants'. Raises NobodyMayAsk, Denied."""
    return decider_of(log).require(actor, READ, Resource("AuditLog", LOG, PLATFORM))


def part_for(log: Log, actor: Actor) -> tuple[Decision, Part]:
    """That she may read the log, and which part of it: her tenant's, or the host's. Raises NobodyMayAsk, Denied."""
    tenant = None if actor.organ is None else log.around.tenant(actor.organ)
    if tenant is None:
        return may_read(log, actor), log.hosts()
    decision = decider_of(log).require(actor, READ, Resource("AuditLog", LOG, tenant))
    return decision, Part(of=frozenset(log.around.below(tenant)))


def entries_for(
    log: Log, actor: Actor, filters: Filters, *, before: int | None = None, limit: int = 50
) -> tuple[Entry, ...]:
    """As `Log.entries`; raises Denied besides."""
    decision, part = part_for(log, actor)
    found = log.entries(filters, before, limit, part)
    with log.store.act(actor, READ, LOG, filters=filters.fields(), count=len(found)) as act:
        act.decision = decision.record()
    return found


def every_for(log: Log, actor: Actor, filters: Filters) -> Iterator[Entry]:
    """All matching entries, newest first, of those that were there when it was asked; raises Denied at once.

    Recorded before the first is handed out: what follows can no longer be taken back.
    """
    decision, part = part_for(log, actor)
    newest = next(iter(log.entries(limit=1)), None)
    with log.store.act(actor, READ, LOG, filters=filters.fields(), all=True) as act:
        act.decision = decision.record()
    return log.every(filters, 0 if newest is None else newest.index + 1, part)


def entry_for(log: Log, actor: Actor, event: str) -> Entry:
    """As `Log.entry`, which tells nothing of an entry of another's part of the log; raises Denied besides."""
    decision, part = part_for(log, actor)
    with log.store.act(actor, READ, f"entry:{event}") as act:
        act.decision = decision.record()
        found = log.entry(event)
        if not found.sealed and not _of(part, found):
            raise EntryNotFound(event=event)
        return found


def _of(part: Part, entry: Entry) -> bool:
    fields = entry.fields()
    return part.has(fields) and (not part.of or not terms_of(fields).isdisjoint(part.group))


def export_for(log: Log, actor: Actor, event: str, suite: Suite = TREES[0]) -> LogProof:
    """As `Log.settle`; raises Denied besides."""
    proof = log.settle(event, suite)
    organ = canonical.decode(proof.entry)["actor"].get("organ", PLATFORM)
    decision = decider_of(log).require(actor, EXPORT, Resource("AuditEntry", event, organ))
    with log.store.act(actor, EXPORT, f"entry:{event}", suite=suite.name) as act:
        act.decision = decision.record()
    return proof


def check_for(log: Log, actor: Actor) -> CheckReport:
    """As `Log.check`; raises Denied besides. What is found, good or bad, is recorded."""
    decision = decider_of(log).require(actor, CHECK, Resource("AuditLog", LOG, PLATFORM))
    with log.store.act(actor, CHECK, LOG) as act:
        act.decision = decision.record()
        report = log.check()
        act.facts |= report.fields()
    return report


def reindex_for(log: Log, actor: Actor) -> int:
    """As `Index.rebuild`, for whoever may have the log checked; raises Denied besides. Recorded before: what is derived may be made anew at any time."""
    decision = decider_of(log).require(actor, CHECK, Resource("AuditLog", LOG, PLATFORM))
    with log.store.act(actor, REINDEX, LOG) as act:
        act.decision = decision.record()
    return log.index.rebuild()


def archive_for(log: Log, actor: Actor, folder: Path) -> dict[str, Any]:
    """As `archive.make.make`, for whoever may; raises Denied besides."""
    decision = decider_of(log).require(actor, ARCHIVE, Resource("AuditLog", LOG, PLATFORM))
    try:
        return make(log, actor, folder, decision)
    except YinxinError as error:
        log.store.refuse(actor, ARCHIVE, LOG, error)
        raise


def copies_for(log: Log, actor: Actor) -> dict[str, Any]:
    """As `Courier.facts`, for whoever may; raises Denied besides."""
    decision = decider_of(log).require(actor, COPIES, Resource("AuditLog", LOG, PLATFORM))
    with log.store.act(actor, COPIES, LOG) as act:
        act.decision = decision.record()
    return log.forward.facts()


def reconcile_for(
    log: Log, actor: Actor, receiver: str, lines: Iterable[str], *, resend: bool = False
) -> Reconciliation:
    """As `reconcile.against`; raises Denied besides. What is found is recorded; with `resend`, what is missing is sent again."""
    decision = decider_of(log).require(actor, RECONCILE, Resource("AuditLog", LOG, PLATFORM))
    with log.store.act(actor, RECONCILE, f"receiver:{receiver}", resend=resend) as act:
        act.decision = decision.record()
        found = against(log.forward, receiver, lines)
        act.facts |= found.fields()
        if found.missing or found.altered or found.foreign:
            act.outcome = Outcome.FAILED
    if resend:
        send_again(log.forward, found)
    return found
