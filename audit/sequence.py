"""The sequencer: moves records from the outbox into the log, each exactly once, in the order of their numbers.

It is the one writer whose changes leave no record, because what it writes is the record. It therefore does not go
through `Store.act`, and opens its own short transactions on the store's engine.

Records whose transactions commit late are taken later: a row is removed from the outbox by its own number only, in
the transaction that enters it, never by a range.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from audit.errors import UnreadableRecord
from audit.models import EntryRow, TileRow
from audit.personal.models import OpeningRow
from audit.tree import TREES, completed, leaf_name, log_size
from yinxin import canonical
from yinxin.clock import parse_rfc3339
from yinxin.errors import YinxinError
from yinxin.personal import Salted, committed_in
from yinxin.steps import step
from yinxin.store import OutboxRow, Said, Sql, Store, Written
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

_OUTBOX = cast("sa.Table", OutboxRow.__table__).c
_WAITING = Sql(
    sa.select(_OUTBOX.number, _OUTBOX.id, _OUTBOX.data, _OUTBOX.personal)
    .order_by(_OUTBOX.number)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)
_TAKE = sa.delete(cast("sa.Table", OutboxRow.__table__))
_TAKE_ONE = Sql(_TAKE.where(_OUTBOX.number == sa.bindparam("number")))
#: of PostgreSQL, for which each statement is a message of its own
_TAKE_ALL = Sql(_TAKE.where(_OUTBOX.number == sa.any_(sa.bindparam("numbers", type_=ARRAY(sa.BigInteger)))))
_ENTRY, _TILE, _OPENING = (
    Sql(sa.insert(table).inline(), *table.c.keys())
    for table in (cast("sa.Table", each.__table__) for each in (EntryRow, TileRow, OpeningRow))
)

#: number, identifier and data of an outbox row, and what opens the commitments in the data
Waiting = sa.Row[int, str, bytes, bytes | None]


class Sequencer:
    """Enters what waits in the outbox of one store."""

    def __init__(self, store: Store) -> None:
        self._engine = store.engine
        self._written = store.written

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
        with self._engine.begin() as connection:
            # 1. Alone: SQLite's transactions begin with the write lock held; PostgreSQL is asked for one.
            alone = connection.dialect.name == "sqlite"
            if not alone:
                connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            step("audit.sequence.1-locked")
            # 2. What waits, in order.
            waiting = _WAITING.all(connection, {"most": BATCH})
            step("audit.sequence.2-read")
            if waiting:
                # 3. Into the log and both trees; what opens their commitments, beside them.
                enter(connection, waiting, self._written)
                step("audit.sequence.3-entered")
                # 4. Out of the outbox, exactly these.
                if alone:
                    _TAKE_ONE.run_many(connection, [{"number": row.number} for row in waiting])
                else:
                    _TAKE_ALL.run(connection, {"numbers": [row.number for row in waiting]})
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
    return _columns(
        event["id"],
        parse_rfc3339(event["time"]),
        event["verb"],
        event["subject"],
        event["actor"]["id"],
        event["outcome"],
        event.get("request"),
    )


def _columns(  # noqa: PLR0917 - the columns
    event: str, time: datetime, verb: str, subject: str, actor: str, outcome: str, request: str | None
) -> dict[str, Any]:
    return {
        "event": event,
        "time": time,
        "verb": _fit("verb", verb),
        "subject": _fit("subject", subject),
        "actor": _fit("actor", actor),
        "outcome": _fit("outcome", outcome),
        "request": None if request is None else _fit("request", request),
    }


def _fit(name: str, text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[: _WIDTHS[name]]


def enter(connection: sa.Connection, waiting: Sequence[Waiting], written: Written) -> None:
    """These records into the log and both trees, in their order, in the connection's transaction; raises UnreadableRecord.

    `written` are those that this process wrote itself.
    """
    size = log_size(connection)
    entries: list[dict[str, Any]] = []
    openings: list[dict[str, Any]] = []
    for index, row in enumerate(waiting, size):
        found = _read(row, written)
        found["index"], found["data"] = index, row.data
        entries.append(found)
        if row.personal:
            openings += _openings(row, index)
    tiles: list[Mapping[str, Any]] = []
    for suite in TREES:
        name = leaf_name(suite)
        leaves = [leaf_hash(suite.hash, row.data) for row in waiting]
        for entry, leaf in zip(entries, leaves, strict=True):
            entry[name] = leaf
        tiles += completed(connection, suite, size, leaves)
    _ENTRY.run_many(connection, entries)
    if tiles:
        _TILE.run_many(connection, tiles)
    if openings:
        _OPENING.run_many(connection, openings)


def _read(row: Waiting, written: Written) -> dict[str, Any]:
    """The query columns; raises UnreadableRecord.

    Octets that our own encoder made of a record say what it says, and are canonical. Any others are read strictly.
    """
    record = written.take(row.data)
    try:
        found = columns(row.data) if record is None else _columns_of_own(record)
    except (YinxinError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableRecord(number=row.number) from error
    if found["event"] != row.id:
        raise UnreadableRecord(number=row.number)
    return found


def _columns_of_own(said: Said) -> dict[str, Any]:
    return _columns(said.id, said.time, said.verb, said.subject, said.actor, said.outcome, said.request)


def _openings(row: Waiting, index: int) -> list[dict[str, Any]]:
    """What stands beside the leaf, held against it; raises UnreadableRecord."""
    try:
        committed = committed_in(canonical.reread(row.data))
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
