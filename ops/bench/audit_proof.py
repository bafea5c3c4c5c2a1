"""Proving one entry when the log is short and when it is long; and what an entry costs in hashing."""

import os
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from sqlalchemy.orm import Session

from audit.sequence import Waiting, enter
from ops.bench.audit import row_of
from ops.bench.house import house
from ops.bench.measure import Result, rates
from ops.platform import Platform
from yinxin.crypto.suite import INTL, SM
from yinxin.store import StoreFull
from yinxin.tlog import Frontier, leaf_hash

SMALL = 1_000
#: entries at the end; another number by the environment, for a run that has the time and the disk (about 1.3 kB each)
LARGE = int(os.environ.get("YINXIN_BENCH_ENTRIES", "100000"))
_PROOFS, _CHUNK, _LEAVES = 1_000, 20_000, 2_000
#: octets that an entry takes at most with all that belongs to it, and how many entries are asked for
_OCTETS, _SAMPLE = 1_500, 100_000


class _Record(NamedTuple):
    """What the sequencer reads of a waiting record."""

    number: int
    id: str
    data: bytes
    personal: bytes | None = None


def audit_proof() -> Iterator[Result]:
    """Proofs of random entries, each with its entry and checkpoint read from the database; at a thousand entries and at many."""
    with house() as platform:
        found: dict[int, list[float]] = {}
        events: list[str] = []
        for size in (SMALL, LARGE):
            events += _fill(platform, size)
            platform.audit.checkpoint()
            found[size] = _proofs(platform, events)
        for name, share in (("median", 0.5), ("p99", 0.99)):
            few, many = (1 / _at(found[size], share) for size in (SMALL, LARGE))
            yield Result(
                f"audit-proof-{name}",
                many,
                f"proofs per second, by the {name} time of one, at {LARGE} entries",
                {f"at {SMALL}": few, "goal: one in 5 ms": 200.0},
                "entry, tree hashes and signed note read from SQLite; wall clock; random entries",
            )


def audit_tree() -> Iterator[Result]:
    """Leaf hashes of an entry and its place in both trees, beside the bare hashing of its octets."""
    leaf = bytes(260)

    def trees() -> int:
        for suite in (INTL, SM):
            frontier = Frontier(suite.hash)
            for _ in range(_LEAVES):
                frontier.append(leaf_hash(suite.hash, leaf))
        return _LEAVES

    def bare() -> int:
        for suite in (INTL, SM):
            for _ in range(_LEAVES):
                suite.hash.digest(leaf)
                suite.hash.digest(leaf[:65])
        return _LEAVES

    found = rates({"trees": trees, "bare": bare})
    yield Result(
        "audit-tree",
        found["trees"],
        "entries per CPU-second",
        {"as many bare hashes": found["bare"]},
        "SHA-256 and SM3, leaf and inner nodes of 260 octets, in memory",
    )


def _fill(platform: Platform, size: int) -> list[str]:
    """Entries up to `size`, by the sequencer's own work in large transactions past the outbox; identifiers of some of them.

    Raises StoreFull where the disk has no room for so many.
    """
    platform.audit.sequence()
    there = platform.audit.health().facts["size"]
    if shutil.disk_usage(platform.data.root).free < (size - there) * _OCTETS:
        raise StoreFull
    kept: list[str] = []
    while there < size:
        rows = [row_of(platform) for _ in range(min(_CHUNK, size - there))]
        records = [_Record(at, str(row["id"]), cast("bytes", row["data"])) for at, row in enumerate(rows)]
        with Session(platform.store.engine) as session, session.begin():
            enter(session, cast("Sequence[Waiting]", records))
        there += len(rows)
        kept += [str(row["id"]) for row in rows[:: max(1, size // _SAMPLE)]]
    return kept


def _proofs(platform: Platform, events: list[str]) -> list[float]:
    """Seconds of each proof, sorted."""
    chance = random.Random(0)
    for _ in range(20):
        platform.audit.proof(chance.choice(events))  # warm
    taken = []
    for event in (chance.choice(events) for _ in range(_PROOFS)):
        began = time.perf_counter()
        platform.audit.proof(event)
        taken.append(time.perf_counter() - began)
    return sorted(taken)


def _at(sorted_times: list[float], share: float) -> float:
    return sorted_times[min(len(sorted_times) - 1, int(len(sorted_times) * share))]
