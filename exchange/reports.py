"""What reconciling came to, each time: the peer's signed word, and what differed from what is here."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from exchange import frames
from exchange.models import ReconciliationRow
from exchange.statement import Reach, Statement
from yinxin.store import Store


@dataclass(frozen=True, slots=True)
class Report:
    """One word of a peer: how far it had sent and received; `difference` is the code of what differed."""

    id: str
    peer: str
    at: datetime
    sent: Reach
    received: Reach
    difference: str | None


def reports(store: Store, peer: str, *, before: str = "", limit: int) -> Sequence[Report]:
    """Those of a peer, or of all, the newest first; `before` is the identifier of the last one seen."""
    query = sa.select(ReconciliationRow).order_by(ReconciliationRow.id.desc()).limit(limit)
    if peer:
        query = query.where(ReconciliationRow.peer == peer)
    if before:
        query = query.where(ReconciliationRow.id < before)
    with store.read() as session:
        return [_report(row) for row in session.scalars(query)]


def _report(row: ReconciliationRow) -> Report:
    said = Statement.decode(next(frames.read(io.BytesIO(row.theirs))).data)
    return Report(row.id, row.peer, row.at, said.sent, said.received, row.difference)
