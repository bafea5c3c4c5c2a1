"""Questions to the log in somebody's name: permitted by the policies, and themselves recorded."""

from audit.check import CheckReport
from audit.entries import Entry, Filters
from audit.errors import NobodyMayAsk
from audit.service import Log
from audit.tree import TREES
from yinxin import canonical
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.crypto.suite import Suite
from yinxin.tlog import LogProof

READ, EXPORT, CHECK = "audit.read", "audit.export", "audit.check"
#: the subject of acts on the log as a whole
LOG = "log"


def _decider(log: Log) -> Decider:
    if log.decider is None:
        raise NobodyMayAsk
    return log.decider


def entries_for(
    log: Log, actor: Actor, filters: Filters, *, before: int | None = None, limit: int = 50
) -> tuple[Entry, ...]:
    """As `Log.entries`; raises Denied besides."""
    decision = _decider(log).require(actor, READ, Resource("AuditLog", LOG, PLATFORM))
    with log.store.act(actor, READ, LOG, filters=filters.fields()) as act:
        act.decision = decision.record()
        found = log.entries(filters, before, limit)
        act.facts["count"] = len(found)
        return found


def entry_for(log: Log, actor: Actor, event: str) -> Entry:
    """As `Log.entry`; raises Denied besides."""
    decision = _decider(log).require(actor, READ, Resource("AuditLog", LOG, PLATFORM))
    with log.store.act(actor, READ, f"entry:{event}") as act:
        act.decision = decision.record()
        return log.entry(event)


def export_for(log: Log, actor: Actor, event: str, suite: Suite = TREES[0]) -> LogProof:
    """As `Log.settle`; raises Denied besides."""
    proof = log.settle(event, suite)
    organ = canonical.decode(proof.entry)["actor"].get("organ", PLATFORM)
    decision = _decider(log).require(actor, EXPORT, Resource("AuditEntry", event, organ))
    with log.store.act(actor, EXPORT, f"entry:{event}", suite=suite.name) as act:
        act.decision = decision.record()
    return proof


def check_for(log: Log, actor: Actor) -> CheckReport:
    """As `Log.check`; raises Denied besides. What is found, good or bad, is recorded."""
    decision = _decider(log).require(actor, CHECK, Resource("AuditLog", LOG, PLATFORM))
    with log.store.act(actor, CHECK, LOG) as act:
        act.decision = decision.record()
        report = log.check()
        act.facts |= report.fields()
    return report
