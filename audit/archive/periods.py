"""How long entries are kept: rules that several people decide, each for a verb, a module or all, from a day on."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.archive.models import RetentionRow, SealedRow
from audit.checkpoint import signed_size
from audit.decisions import EXECUTE
from audit.forward.models import CursorRow
from audit.index.models import IndexedRow
from audit.models import EntryRow
from yinxin.store import RecordedRow


def rules_at(session: Session, at: datetime) -> dict[str, int | None]:
    """The days of each scope that are in force at a time: the newest rule of the scope. None is for ever."""
    query = sa.select(RetentionRow.scope, RetentionRow.days).where(RetentionRow.since <= at)
    rows = session.execute(query.order_by(RetentionRow.since, RetentionRow.proposal))
    return {scope: days for scope, days in rows}  # noqa: C416 - a later row takes the place of an earlier one


def period(rules: dict[str, int | None], verb: str) -> int | None:
    """The days that an act of this verb is kept: the verb's own rule, else its module's, else the one for all; None for ever."""
    for scope in (verb, f"{verb.partition('.')[0]}.", ""):
        if scope in rules:
            return rules[scope]
    return None


def due(session: Session, now: datetime, receivers: Iterable[str], limit: int) -> list[EntryRow]:
    """Up to `limit` entries past their period, oldest first, that are signed, indexed, and acknowledged by all receivers."""
    rules = rules_at(session, now)
    if not rules:
        return []
    verbs = session.scalars(sa.select(EntryRow.verb).distinct())
    conditions = [
        sa.and_(EntryRow.verb == verb, EntryRow.time < now - timedelta(days=days))
        for verb, days in ((verb, period(rules, verb)) for verb in verbs)
        if days is not None
    ]
    if not conditions:
        return []
    acknowledged = {row.receiver: row.acknowledged for row in session.scalars(sa.select(CursorRow))}
    indexed = session.scalar(sa.select(IndexedRow.size)) or 0
    below = min([signed_size(session), indexed, *(acknowledged.get(name, 0) for name in receivers)])
    query = sa.select(EntryRow).where(
        EntryRow.index < below,
        sa.or_(*conditions),
        ~sa.exists().where(SealedRow.index == EntryRow.index),
        # what several people decided stays where `check` finds it: tables and gaps rest on it
        EntryRow.verb != EXECUTE,
        # so does what says how a row is now
        ~sa.exists().where(RecordedRow.entry == EntryRow.event, RecordedRow.salt.is_not(None)),
    )
    return list(session.scalars(query.order_by(EntryRow.index).limit(limit)))
