"""The sequencer: moves records from the outbox into the log, each exactly once, in the order of their numbers.

It is the one writer whose changes leave no record, because what it writes is the record. It therefore does not go
through `Store.act`, and opens its own short transactions on the store's engine.

Records whose transactions commit late are taken later: a row is removed from the outbox by its own number only, in
the transaction that enters it, never by a range.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.errors import UnreadableRecord
from audit.models import EntryRow, TileRow
from audit.personal.models import OpeningRow
from audit.tree import TREES, completed, log_size
from yinxin import canonical
from yinxin.clock import parse_rfc3339
from yinxin.errors import YinxinError
from yinxin.personal import Salted, committed_in
from yinxin.steps import step
from yinxin.store import OutboxRow, Store
from yinxin.tlog import leaf_hash

#: records entered in one transaction: a few milliseconds of work
BATCH = 512
#: one sequencer at a time among all processes (PostgreSQL advisory lock; the number is arbitrary and for ever)
_LOCK = 0x59494E58494E4C47
_LOCK_TIMEOUT = "30s"
_WIDTHS: dict[str, int] = {
    column.name: column.type.length
    for column in EntryRow.__table__.c
    if isinstance(column.type, sa.String) and column.type.length
}

_ENTRY, _TILE, _OPENING = (
    sa.insert(cast("sa.Table", each.__table__)) for each in (EntryRow, TileRow, OpeningRow)
)

#: number, identifier and data of an outbox row, and what opens the commitments in the data
Waiting = sa.Row[int, str, bytes, bytes | None]


class Sequencer:
    """Enters what waits in the outbox of one store."""

    def __init__(self, store: Store) -> None:
        self._engine = store.engine

    def run(self) -> int:
        """Enter everything that was committed when it began; the number of entries made.

        Raises UnreadableRecord, and the engine's own errors: then the batch under way is undone and stays in the outbox.
        """
        made = 0
        while True:
            count = self._batch()
            made += count
            if count < BATCH:
                return made

    def _batch(self) -> int:
        with Session(self._engine) as session, session.begin():
            # 1. Alone: SQLite's transactions begin with the write lock held; PostgreSQL is asked for one.
            if session.get_bind().dialect.name == "postgresql":
                session.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
                session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            step("audit.sequence.1-locked")
            # 2. What waits, in order.
            waiting = session.execute(
                sa.select(OutboxRow.number, OutboxRow.id, OutboxRow.data, OutboxRow.personal)
                .order_by(OutboxRow.number)
                .limit(BATCH)
            ).all()
            step("audit.sequence.2-read")
            if waiting:
                # 3. Into the log and both trees; what opens their commitments, beside them.
                enter(session, waiting)
                step("audit.sequence.3-entered")
                # 4. Out of the outbox, exactly these.
                session.execute(
                    sa.delete(OutboxRow).where(OutboxRow.number.in_([row.number for row in waiting]))
                )
                step("audit.sequence.4-taken")
        # 5. Committed: durable, and visible to all.
        step("audit.sequence.5-committed")
        return len(waiting)


def columns(data: bytes) -> dict[str, Any]:
    """The query columns of an event's canonical bytes; raises a YinxinError or KeyError when they are no event's.

    Text that came from outside is cut to its column, and NUL, which PostgreSQL cannot store, is replaced: nothing
    that a caller sends may stop the log. The leaf keeps the whole.
    """
    return columns_of(canonical.decode(data))


def columns_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """As `columns`, of an event that is decoded."""
    texts = {
        "verb": event["verb"],
        "subject": event["subject"],
        "actor": event["actor"]["id"],
        "outcome": event["outcome"],
        "request": event.get("request"),
    }
    fitted = {name: None if text is None else _fit(name, text) for name, text in texts.items()}
    return {"event": event["id"], "time": parse_rfc3339(event["time"]), **fitted}


def _fit(name: str, text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[: _WIDTHS[name]]


def enter(session: Session, waiting: Sequence[Waiting]) -> None:
    """These records into the log and both trees, in their order, in the session's transaction; raises UnreadableRecord."""
    size = log_size(session)
    entries: list[dict[str, Any]] = []
    openings: list[dict[str, Any]] = []
    for index, row in enumerate(waiting, size):
        event, found = _read(row)
        entries.append({"index": index, "data": row.data} | found)
        if row.personal:
            openings += _openings(row, event, index)
    tiles: list[Mapping[str, Any]] = []
    for suite in TREES:
        leaves = [leaf_hash(suite.hash, entry["data"]) for entry in entries]
        for entry, leaf in zip(entries, leaves, strict=True):
            entry[f"leaf_{suite.hash.name}"] = leaf
        tiles += completed(session, suite, size, leaves)
    connection = session.connection()
    connection.execute(_ENTRY, entries)
    if tiles:
        connection.execute(_TILE, tiles)
    if openings:
        connection.execute(_OPENING, openings)


def _read(row: Waiting) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The event and its query columns; raises UnreadableRecord."""
    try:
        event = canonical.decode(row.data)
        found = columns_of(event)
    except (YinxinError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableRecord(number=row.number) from error
    if found["event"] != row.id:
        raise UnreadableRecord(number=row.number)
    return event, found


def _openings(row: Waiting, event: Mapping[str, Any], index: int) -> list[dict[str, Any]]:
    """What stands beside the leaf, held against it; raises UnreadableRecord."""
    try:
        committed = committed_in(event)
        found = {
            name: Salted.of_fields(each) for name, each in canonical.decode(row.personal or b"{}").items()
        }
        for name, each in found.items():
            if each.committed(row.id, name) != committed[name]:
                raise UnreadableRecord(number=row.number)
    except (YinxinError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadableRecord(number=row.number) from error
    return [
        {
            "index": index,
            "name": name,
            "person": each.of,
            "salt": each.opening.salt,
            "value": each.opening.value.encode(),
        }
        for name, each in found.items()
    ]
