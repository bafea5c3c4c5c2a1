"""A proposal moves from one state to another once: compare and swap, in the transaction of the record."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from authz.proposal.context import closed, state_of
from authz.proposal.models import PENDING, ProposalRow, State
from yinxin.text import Text

#: how much of a reason is kept beside the state
_NOTE = 2000


def locked(session: Session, row: ProposalRow) -> ProposalRow:
    """The row as it stands now, kept from others until the transaction ends."""
    return session.get_one(ProposalRow, row.id, with_for_update=True, populate_existing=True)


def pending(session: Session, row: ProposalRow, now: datetime, act: Text) -> ProposalRow:
    """The row, locked, of a proposal that people may still decide on; raises ProposalClosed."""
    found = locked(session, row)
    if state_of(found, now) not in PENDING:
        raise closed(found, now, act)
    return found


def move(session: Session, row: ProposalRow, to: State, now: datetime, act: Text, **values: Any) -> None:
    """Bring it from the state in which it was seen to the next; raises ProposalClosed when another was first."""
    values = {"note": "", **values}
    values["note"] = values["note"][:_NOTE]
    swap = (
        sa.update(ProposalRow)
        .where(ProposalRow.id == row.id, ProposalRow.state == row.state)
        .values(state=to, moved_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    done = session.execute(swap)
    if not isinstance(done, CursorResult) or done.rowcount != 1:
        raise closed(locked(session, row), now, act)
