"""Proving what is not in the log: every entry between two checkpoints that enclose a time.

With a policy of witnesses both checkpoints carry its quorum, and it is the witnesses' clocks that say when: the older was
cosigned when the time began, the newer when it had ended. Without one, the checkpoints of this log's own times are
taken, and whoever reads the proof is told that nobody vouches for them.
"""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.archive.errors import EntrySealed
from audit.archive.models import SealedRow
from audit.ask import LOG, READ, decider_of
from audit.checkpoint import note_of
from audit.errors import NoCheckpointThen, StretchOfTenant, StretchTooLong, TimeReversed
from audit.known import hold_known
from audit.models import CheckpointRow, EntryRow
from audit.service import Log
from audit.tree import TREES, stored
from audit.witness.models import CosignatureRow
from audit.witness.quorum import in_force
from yinxin import canonical
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import rfc3339
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.evidence import Question, Stretch
from yinxin.evidence.stretch import MOST_ENTRIES, SECOND, signed_by
from yinxin.text import Text
from yinxin.tlog import Checkpoint, Note, Policy, Signature, subtrees
from yinxin.tlog.policy import NONE

PROVE = "audit.prove-stretch"
#: how many cosignatures are looked at for a checkpoint on the right side of a time, nearest first
_LOOK = 2000


def prove_for(
    log: Log, actor: Actor, question: Question, suite: Suite = TREES[0], *, anybody: bool = False
) -> Stretch:
    """The stretch of the log that answers a question.

    Raises Denied, TimeReversed, QuestionUnclear, VerbUnknown, KindUnknown, ActorUnknown (unless `anybody`), NoCheckpointThen,
    StretchTooLong, StretchOfTenant.
    """
    decision = decider_of(log).require(actor, READ, Resource("AuditLog", LOG, PLATFORM))
    try:
        _hold_clear(question)
        hold_known(log, question, anybody=anybody)
    except YinxinError as error:
        log.store.refuse(actor, PROVE, LOG, error)
        raise
    part = log.hosts()
    with log.store.act(actor, PROVE, LOG, question=question.fields(), suite=suite.name) as act:
        act.decision = decision.record()
        stretch = prove(log, question, suite)
        if part.without and not all(part.has(canonical.decode(each)) for each in stretch.entries):
            raise StretchOfTenant
        act.facts["count"] = len(stretch.entries)
    return stretch


def prove(log: Log, question: Question, suite: Suite = TREES[0]) -> Stretch:
    """As `prove_for`, for who has been permitted."""
    _hold_clear(question)
    with log.store.read() as session:
        begin = _checkpoint(session, suite, question.since, before=True)
        end = _checkpoint(session, suite, question.until, before=False)
        first, last = (Checkpoint.parse(each.text).size for each in (begin, end))
        if last - first > MOST_ENTRIES:
            raise StretchTooLong(count=last - first, most=MOST_ENTRIES)
        nodes = subtrees(0, first)
        hashes = stored(session, suite)(nodes)
        entries = session.scalars(
            sa.select(EntryRow.data)
            .where(EntryRow.index >= first, EntryRow.index < last)
            .order_by(EntryRow.index)
        ).all()
        if b"" in entries:
            event, archive = session.execute(
                sa.select(EntryRow.event, SealedRow.archive)
                .join(SealedRow, SealedRow.index == EntryRow.index)
                .where(EntryRow.index == first + entries.index(b""))
            ).one()
            raise EntrySealed(event=event, archive=archive)
    witnesses = signed_by((begin, end), log.witnesses.keys(suite))
    return Stretch(question, begin, end, tuple(hashes[each] for each in nodes), tuple(entries), witnesses)


def _hold_clear(question: Question) -> None:
    if question.since > question.until:
        raise TimeReversed(since=rfc3339(question.since), until=rfc3339(question.until))
    question.hold_clear()


def _checkpoint(session: Session, suite: Suite, at: datetime, *, before: bool) -> Note:
    """The checkpoint nearest to a time on one side of it, with the cosignatures that were made on that side."""
    policy = in_force(session, suite)
    found = (
        _unwitnessed(session, suite, at, before=before)
        if policy is None or policy.quorum == NONE
        else _witnessed(session, suite, policy, at, before=before)
    )
    if found is None:
        side = Text("之前", "before it") if before else Text("之后", "after it")
        raise NoCheckpointThen(when=rfc3339(at), reason=side)
    return found


def _unwitnessed(session: Session, suite: Suite, at: datetime, *, before: bool) -> Note | None:
    query = sa.select(CheckpointRow).limit(1)
    if before:
        query = query.where(CheckpointRow.time < at).order_by(CheckpointRow.size.desc())
    else:
        query = query.where(CheckpointRow.time >= at).order_by(CheckpointRow.size)
    row = session.scalars(query).first()
    return None if row is None else note_of(row, suite)


def _witnessed(session: Session, suite: Suite, policy: Policy, at: datetime, *, before: bool) -> Note | None:
    names = {
        (each.verifier.name, each.verifier.key_id.hex()): each.name for each in policy.witnesses.values()
    }
    time = CosignatureRow.at
    # a cosignature says its second: begun in it, it was made before the next
    side, order = (time <= at - SECOND, time.desc()) if before else (time >= at, time)
    rows = session.scalars(
        sa.select(CosignatureRow)
        .where(CosignatureRow.tree == suite.hash.name, side)
        .order_by(order)
        .limit(_LOOK)
    )
    by_size: dict[int, dict[str, Signature]] = {}
    for row in rows:  # nearest first, so the first word of each witness on a size is the nearest
        name = names.get((row.name, row.key_id))
        if name is None:
            continue
        line = Signature(row.name, bytes.fromhex(row.key_id), row.value)
        by_size.setdefault(row.size, {}).setdefault(name, line)
    fitting = [size for size, by in by_size.items() if policy.satisfied(by)]
    nearest: Callable[[list[int]], int] = max if before else min
    if not fitting:
        return None
    size = nearest(fitting)
    note = note_of(session.get_one(CheckpointRow, size), suite)
    return Note(note.text, (*note.signatures, *by_size[size].values()))
