"""What was erased, on what ground and by whose decision: for auditors. The asking is recorded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa

from audit.archive.models import SealedRow
from audit.ask import LOG, READ, may_read
from audit.personal.models import ErasedRow, ErasureRow
from audit.service import Log
from yinxin.act import Actor
from yinxin.clock import rfc3339


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure, by the proposal that decided it."""

    proposal: str
    at: datetime
    person: str | None
    ground: str
    basis: str
    fields: int
    entries: int
    #: archives that held such entries: they hold commitments and have nothing to erase
    archived: int
    digest: str
    archives: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: ErasureRow, archives: tuple[str, ...] = ()) -> Self:
        """A row as a value."""
        values = {name: getattr(row, name) for name in cls.__slots__ if name != "archives"}
        return cls(**values, archives=archives)

    def told(self) -> dict[str, Any]:
        """For machines."""
        return {
            "proposal": self.proposal,
            "at": rfc3339(self.at),
            "person": self.person,
            "ground": self.ground,
            "basis": self.basis,
            "fields": self.fields,
            "entries": self.entries,
            "archived": self.archived,
            "archives": list(self.archives),
            "digest": self.digest,
        }


def erasures_for(
    log: Log, actor: Actor, *, before: str | None = None, limit: int = 50
) -> tuple[Erasure, ...]:
    """Erasures, newest first, of proposals below `before`; raises Denied."""
    decision = may_read(log, actor)
    query = sa.select(ErasureRow).order_by(ErasureRow.proposal.desc()).limit(limit)
    if before is not None:
        query = query.where(ErasureRow.proposal < before)
    with log.store.read() as session:
        found = []
        for row in session.scalars(query).all():
            names = session.scalars(
                sa.select(SealedRow.archive)
                .join(ErasedRow, ErasedRow.index == SealedRow.index)
                .where(ErasedRow.erasure == row.proposal)
                .distinct()
                .order_by(SealedRow.archive)
            )
            found.append(Erasure.of(row, tuple(names)))
    with log.store.act(actor, READ, LOG, erasures=len(found)) as act:
        act.decision = decision.record()
    return tuple(found)
