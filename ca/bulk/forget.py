"""Forgetting lists that were handed in: files of requests and people are not kept for ever, nor those that nobody started.

What became of the rows stays in the batch, and who did what in the log; the same file handed in again goes on where it was.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from ca.bulk.models import ListFileRow, ListRow, ListState
from yinxin.act import SYSTEM
from yinxin.store import Store

VERB = "ca.forget-list"
#: how long a list is kept after it was finished, else started, else handed in
KEPT = timedelta(days=90)
#: lists of one round
_MOST = 100


def forget(store: Store) -> int:
    """Forget lists that are over, with their files; how many. One that is running stays. Safe to repeat."""
    over = _over(store.clock.now())
    with store.read() as session:
        found = session.execute(sa.select(ListRow.id, ListRow.file).where(over).limit(_MOST)).all()
    for id_, file in found:
        with store.act(SYSTEM, VERB, f"enrolment-list:{id_}", file=file) as act:
            query = sa.select(ListRow).where(ListRow.id == id_, over).with_for_update()
            row = act.session.scalars(query).one_or_none()
            if row is not None:  # nor started meanwhile
                act.session.execute(sa.delete(ListFileRow).where(ListFileRow.list == id_))
                act.session.delete(row)
            act.facts["forgotten"] = row is not None
    return len(found)


def _over(now: datetime) -> sa.ColumnElement[bool]:
    last = sa.func.coalesce(ListRow.ended, ListRow.started, ListRow.created)
    return sa.and_(ListRow.state != ListState.RUNNING, last < now - KEPT)
