"""Orders to keep personal data, and which of them stand: for auditors. The asking is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from audit.ask import LOG, READ, may_read
from audit.personal.erase import holds_at
from audit.personal.models import HoldRow
from audit.service import Log
from yinxin.act import Actor
from yinxin.clock import rfc3339

#: columns of tables
COLUMNS = ("proposal", "person", "held", "basis", "since", "standing")


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """One order, by the proposal that decided it: data is kept from then on (`held`), or no longer. No person is everybody.

    `standing`: data is kept by this very order now; a later one about the same person takes its place.
    """

    proposal: str
    person: str | None
    held: bool
    basis: str
    since: datetime
    standing: bool

    def told(self) -> dict[str, Any]:
        """For machines."""
        values = {name: getattr(self, name) for name in COLUMNS}
        return values | {"since": rfc3339(self.since)}


def holds_for(
    log: Log, actor: Actor, *, standing: bool = False, before: str | None = None, limit: int = 50
) -> Sequence[HoldOrder]:
    """Orders, newest first, of proposals below `before`; only those by which data is kept now, if `standing`. Raises Denied."""
    decision = may_read(log, actor)
    query = sa.select(HoldRow).order_by(HoldRow.proposal.desc()).limit(limit)
    if before is not None:
        query = query.where(HoldRow.proposal < before)
    with log.store.read() as session:
        now = frozenset(holds_at(session, log.store.clock.now()).values())
        if standing:
            query = query.where(HoldRow.proposal.in_(now))
        found = tuple(
            HoldOrder(row.proposal, row.person or None, row.held, row.basis, row.since, row.proposal in now)
            for row in session.scalars(query)
        )
    with log.store.act(actor, READ, LOG, holds=len(found)) as act:
        act.decision = decision.record()
    return found
