"""The index held against the log: every term of every entry is there, and nothing else is."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.index.errors import IndexBroken
from audit.index.models import IndexedRow, PostingRow
from audit.index.terms import terms_of_data
from audit.models import EntryRow

#: entries looked up at a time
_CHUNK = 50


def check_index(session: Session) -> int:
    """Recompute the terms of what is indexed; the number of entries held. Raises IndexBroken for the first that differs.

    Each term is looked up, then all are counted: as many as were looked up, and those, are exactly those.
    """
    size = session.scalar(sa.select(IndexedRow.size)) or 0
    expected = 0
    for begin in range(0, size, _CHUNK):
        query = sa.select(EntryRow.index, EntryRow.data).where(
            EntryRow.index >= begin, EntryRow.index < min(size, begin + _CHUNK)
        )
        wanted = {(each, index) for index, data in session.execute(query) for each in terms_of_data(data)}
        found = session.execute(
            sa.select(PostingRow.term, PostingRow.index).where(
                sa.tuple_(PostingRow.term, PostingRow.index).in_(wanted)
            )
        )
        missing = wanted - {(term, index) for term, index in found}
        if missing:
            raise IndexBroken(index=min(index for _, index in missing))
        expected += len(wanted)
    if session.scalar(sa.select(sa.func.count()).select_from(PostingRow)) != expected:
        raise IndexBroken(index=_stranger(session, size))
    return size


def _stranger(session: Session, size: int) -> int:
    """The first index of which the table says more than the entry does."""
    counted = (
        sa.select(PostingRow.index, sa.func.count()).group_by(PostingRow.index).order_by(PostingRow.index)
    )
    for index, count in session.execute(counted):
        data = session.scalar(sa.select(EntryRow.data).where(EntryRow.index == index))
        if data is None or count != len(terms_of_data(data)):
            return index
    return size
