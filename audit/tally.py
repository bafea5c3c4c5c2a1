"""How many entries the log has of each verb and outcome: kept beside it, so that monitoring need not read the log.

Derived: it repeats what the log says, a batch at a time in the background. Whoever asks adds what was entered since, so the
numbers are those of the log's end, the same in every process, and never fall.
"""

from collections.abc import Mapping
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.models import EntryRow
from audit.tree import log_size
from yinxin.store import LONG, Base, Store, housekeeping

#: entries counted in one transaction: some ten milliseconds of work
BATCH = 20_000
#: the row, of no verb, that says how many entries are counted
_REACHED = ("", "")


class TallyRow(Base):
    """The number of counted entries of one verb and outcome; of neither: how many entries are counted."""

    __tablename__ = "audit_tally"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    verb: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    outcome: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    number: Mapped[int] = mapped_column(LONG)


def catch_up(store: Store) -> int:
    """Count what was entered since; how many entries. For the background."""
    counted = 0
    while True:
        with store.read() as session:
            reached, size = _reached(session), log_size(session)
        if reached >= size:
            return counted
        counted += _batch(store)


def tally(session: Session) -> Mapping[tuple[str, str], int]:
    """The number of entries by verb and outcome, as the log is in this session."""
    found: dict[tuple[str, str], int] = {
        (row.verb, row.outcome): row.number for row in session.scalars(sa.select(TallyRow))
    }
    reached = found.pop(_REACHED, 0)
    for verb, outcome, number in session.execute(_since(reached, None)):
        found[verb, outcome] = found.get((verb, outcome), 0) + number
    return found


def _batch(store: Store) -> int:
    with store.housekeep(lasting=False) as session:
        reached = _locked(session)
        end = min(reached + BATCH, log_size(session))
        rows = session.execute(_since(reached, end)).all()
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        table = cast("sa.Table", TallyRow.__table__)
        for verb, outcome, number in [*rows, (*_REACHED, end - reached)]:
            added = insert(table).values(verb=verb, outcome=outcome, number=number)
            session.execute(
                added.on_conflict_do_update(
                    index_elements=[table.c.verb, table.c.outcome],
                    set_={"number": table.c.number + added.excluded.number},
                )
            )
        return end - reached


def _locked(session: Session) -> int:
    """How many entries are counted, held by this transaction until it ends."""
    if session.get_bind().dialect.name == "postgresql":
        added = postgresql.insert(TallyRow).values(verb="", outcome="", number=0)
        session.execute(added.on_conflict_do_nothing())
    query = sa.select(TallyRow.number).where(TallyRow.verb == "", TallyRow.outcome == "").with_for_update()
    return session.scalar(query) or 0


def _reached(session: Session) -> int:
    row = session.get(TallyRow, _REACHED)
    return 0 if row is None else row.number


def _since(first: int, end: int | None) -> sa.Select[str, str, int]:
    """What was entered from `first` on, before `end` where that is said, by verb and outcome."""
    query = sa.select(EntryRow.verb, EntryRow.outcome, sa.func.count()).where(EntryRow.index >= first)
    if end is not None:
        query = query.where(EntryRow.index < end)
    return query.group_by(EntryRow.verb, EntryRow.outcome)
