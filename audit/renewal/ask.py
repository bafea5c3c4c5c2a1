"""Keeping and renewing in somebody's name: permitted by the policies, and recorded."""

import sqlalchemy as sa

from audit.ask import LOG, READ, decider_of, may_read
from audit.renewal.errors import NotEvidence
from audit.renewal.keep import KEEP, keep
from audit.renewal.models import KeptRow
from audit.renewal.now import record_now
from audit.renewal.renew import RENEW, Renewed, plan, renew
from audit.service import Log
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.errors import YinxinError
from yinxin.evidence import Bundle
from yinxin.evidence.container import unpack
from yinxin.evidence.record import EvidenceRecord
from yinxin.text import Text

EXPORT = "audit.export-record"
_LOG = Resource("AuditLog", LOG, PLATFORM)


def renew_for(log: Log, actor: Actor, look_in: tuple[str, ...], *, dry_run: bool) -> Renewed:
    """As `renew.renew`, or `renew.plan` for a dry run, for whoever may; raises Denied besides."""
    decision = decider_of(log).require(actor, RENEW, _LOG)
    if dry_run:
        with log.store.act(actor, RENEW, LOG, dry_run=True) as act:
            act.decision = decision.record()
        return plan(log, look_in)
    try:
        return renew(log, actor, decision, look_in)
    except YinxinError as error:
        log.store.refuse(actor, RENEW, LOG, error)
        raise


def keep_for(log: Log, actor: Actor, data: bytes) -> str:
    """As `keep.keep`, for whoever may and for what is a bundle of evidence; raises Denied and NotEvidence besides.

    Whether all of it holds is `yinxin verify`'s to say, by what its reader trusts.
    """
    decision = decider_of(log).require(actor, KEEP, _LOG)
    try:
        Bundle.of(unpack(data)[0])
    except YinxinError as reason:
        error = NotEvidence(reason=Text(reason.text("zh"), reason.text("en")))
        log.store.refuse(actor, KEEP, "bundle", error)
        raise error from reason
    return keep(log, actor, data, decision)


def kept_for(log: Log, actor: Actor) -> tuple[KeptRow, ...]:
    """What is in keeping, oldest first, for whoever may read the log; recorded like any reading of it. Raises Denied."""
    decision = may_read(log, actor)
    with log.store.read() as session:
        found = tuple(session.scalars(sa.select(KeptRow).order_by(KeptRow.made, KeptRow.name)))
    with log.store.act(actor, READ, LOG, kept=True, count=len(found)) as act:
        act.decision = decision.record()
    return found


def record_for(log: Log, actor: Actor, kind: str, name: str) -> EvidenceRecord:
    """The evidence record of a proof, with what is said today of its last authority; raises NoRecord, NotYetStamped, Denied."""
    decision = may_read(log, actor)
    found = record_now(log, kind, name)
    with log.store.act(actor, EXPORT, f"{kind}:{name}", links=len(found.links)) as act:
        act.decision = decision.record()
    return found
