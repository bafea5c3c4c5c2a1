"""Entering what waits, beside raw group commits of as many rows on the same engine: what the disk and the processor ask for each."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from audit.sequence import Sequencer
from ops.bench.filled import event_of
from ops.bench.measure import Result, rates
from ops.schema import upgrade
from yinxin.act import SYSTEM
from yinxin.clock import SystemClock
from yinxin.randomness import SystemRandomness
from yinxin.store import LONG, Store, open_engine

#: an empty database of PostgreSQL, to measure there: postgresql+psycopg://…
DATABASE = os.environ.get("YINXIN_BENCH_DATABASE", "")
#: entries of one commit: what a quiet second leaves, a busy one, and the most that are entered at once
BATCHES = (8, 64, 512)
#: commits of each contestant: a disk is not equally quick twice
_ROUNDS = 25


def audit_enter() -> Iterator[Result]:
    """So many waiting records into the log in one durable commit, beside one durable commit of as many bare rows of their octets."""
    name = "PostgreSQL" if DATABASE else "SQLite"
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder:
        engine = open_engine(DATABASE or f"sqlite:///{Path(folder) / 'log.sqlite'}")
        upgrade(engine)
        # on SQLite in a file of its own, as the log is in its own
        bare = engine if DATABASE else open_engine(f"sqlite:///{Path(folder) / 'bare.sqlite'}")
        try:
            yield from _measured(
                Store(engine, clock=SystemClock(), randomness=SystemRandomness()), bare, name
            )
        finally:
            bare.dispose()
            engine.dispose()


def _measured(store: Store, bare: sa.Engine, name: str) -> Iterator[Result]:
    table = sa.Table(
        "bench_bare",
        sa.MetaData(),
        sa.Column("n", LONG, primary_key=True),
        sa.Column("data", sa.LargeBinary),
    )
    table.create(bare)
    sequencer, numbers = Sequencer(store), count()
    octets = len(event_of(0).encode())
    for batch in BATCHES:

        def wait(batch: int = batch) -> None:
            with store.act(SYSTEM, "bench.begin", "bench:1") as act:
                for number in (next(numbers) for _ in range(batch - 1)):
                    event = event_of(number)
                    act.each(
                        store.identifier(),
                        event.subject,
                        dict(event.decision or {}),
                        event.actor,
                        **event.facts,
                    )

        def group(batch: int = batch) -> int:
            with bare.begin() as connection:
                connection.execute(sa.insert(table), [{"data": bytes(octets)}] * batch)
            return batch

        for unit, suffix, clock in _CLOCKS:
            found = rates(
                {"enter": sequencer.run, "group": group}, clock=clock, before={"enter": wait}, rounds=_ROUNDS
            )
            yield Result(
                f"audit-enter-{batch}{suffix}",
                found["enter"],
                unit,
                {"bare rows of the same octets, one commit": found["group"]},
                f"{name}, {batch} a commit: read from the outbox and strictly, both leaf hashes, tiles that became full, entry with "
                "its columns, taken from the outbox, durable",
            )


#: where PostgreSQL works for us, its own processor is not counted
_CLOCKS: tuple[tuple[str, str, Callable[[], float]], ...] = (
    ("entries per second", "", time.perf_counter),
    ("entries per CPU-second of this process", "-cpu", time.process_time),
)
