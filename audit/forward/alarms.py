"""Alarms about copies outward: each is an entry of the log, raised once for a trouble and once ended."""

import logging
import socket
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from audit.forward.cursor import Claim
from audit.forward.models import CursorRow, LossRow
from audit.forward.operational import OperationalLogs
from audit.forward.settings import ForwardSettings
from yinxin.act import SYSTEM, Outcome
from yinxin.errors import YinxinError
from yinxin.store import Store

_log = logging.getLogger("yinxin.audit.forward")

ALARM = "audit.copies-alarm"
#: of lines that are dropped all the time, one alarm in so long
_REST = timedelta(hours=1)


def failing(store: Store, settings: ForwardSettings, held: Claim, since: datetime, code: str) -> None:
    """Raise the alarm about a receiver that has failed for too long, unless it is raised already."""
    if store.clock.now() - since < timedelta(seconds=settings.alarm_after) or not _turn(
        store, held.receiver, raised=True
    ):
        return
    _log.error("copies to %s have failed since %s: %s", held.receiver, since, code)
    _record(
        store, held.receiver, Outcome.FAILED, error=code, since=str(since), acknowledged=held.acknowledged
    )


def ended(store: Store, held: Claim) -> None:
    """End the alarm about a receiver that acknowledges again."""
    if _turn(store, held.receiver, raised=False):
        _record(store, held.receiver, Outcome.DONE, acknowledged=held.acknowledged)


def losses(store: Store, logs: OperationalLogs) -> None:
    """Add what this process had to drop of its operational logs to the machine's count, and raise the alarm about it."""
    count = logs.take_dropped()
    source, now = socket.gethostname()[:200], store.clock.now()
    if not count:
        return
    with store.housekeep() as session:
        row = session.get(LossRow, source, with_for_update=True)
        if row is None:
            row = LossRow(source=source, dropped=0, at=now, alarmed=0)
            session.add(row)
        row.dropped, row.at = row.dropped + count, now
        fresh = row.dropped - row.alarmed
        raised = row.alarmed_at is None or now - row.alarmed_at >= _REST
        if raised:
            row.alarmed_at, row.alarmed = now, row.dropped
    if raised:
        _record(store, "operational-logs", Outcome.FAILED, source=source, dropped=fresh)


def _turn(store: Store, receiver: str, *, raised: bool) -> bool:
    """Whether this changed anything: one process speaks of one trouble."""
    with store.read() as session:
        row = session.get(CursorRow, receiver)
        if row is None or row.alarmed is raised:
            return False
    with store.housekeep() as session:
        turned = session.execute(
            sa.update(CursorRow)
            .where(CursorRow.receiver == receiver, CursorRow.alarmed.is_(not raised))
            .values(alarmed=raised)
        )
        return bool(turned.rowcount)  # type: ignore[attr-defined]


def _record(store: Store, subject: str, outcome: Outcome, **facts: Any) -> None:
    """An alarm that cannot be recorded is said to the operator; copies go on."""
    try:
        with store.act(SYSTEM, ALARM, f"receiver:{subject}", outcome=outcome, **facts):
            pass
    except YinxinError:
        _log.exception("the alarm about %s could not be recorded", subject)
