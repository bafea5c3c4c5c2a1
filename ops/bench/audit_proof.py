"""Proving one entry when the log is short and when it is long; and what an entry costs in hashing."""

import os
import random
import time
from collections.abc import Iterator

from audit import Log
from ops.bench.filled import filled, name_of
from ops.bench.measure import Result, rates
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import Frontier, leaf_hash

SMALL = 1_000
#: entries at the end; another number by the environment, for a run that has the time and the disk (`ops.bench.filled`)
LARGE = int(os.environ.get("YINXIN_BENCH_ENTRIES", "100000"))
_PROOFS, _TURNS, _LEAVES = 500, 4, 2_000


def audit_proof() -> Iterator[Result]:
    """Proofs of random entries, each with its entry and checkpoint read from the database; at a thousand entries and at many, in turn."""
    with filled(SMALL, LARGE) as logs:
        found = {size: _proofs(each.log, size) for size, each in logs.items()}
        for _ in range(_TURNS - 1):
            for size, each in logs.items():
                found[size] += _proofs(each.log, size)
        for at, (clock, what) in enumerate((("", "wall clock"), ("-cpu", "the processor's time"))):
            times = {size: sorted(each[at] for each in taken) for size, taken in found.items()}
            for name, share in (("median", 0.5), ("p99", 0.99)):
                few, many = (1 / _at(times[size], share) for size in (SMALL, LARGE))
                yield Result(
                    f"audit-proof-{name}{clock}",
                    many,
                    f"proofs per second, by the {name} time of one, at {LARGE} entries",
                    {f"at {SMALL}": few, "goal: one in 5 ms": 200.0},
                    f"entry, tree hashes and signed note read from SQLite; {what}; random entries",
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


def _proofs(log: Log, size: int) -> list[tuple[float, float]]:
    """Seconds that each proof took, as time passed and of the processor."""
    chance = random.Random(size)
    for _ in range(20):
        log.proof(name_of(chance.randrange(size)))  # warm
    taken = []
    for number in (chance.randrange(size) for _ in range(_PROOFS)):
        began, worked = time.perf_counter(), time.process_time()
        log.proof(name_of(number))
        taken.append((time.perf_counter() - began, time.process_time() - worked))
    return taken


def _at(sorted_times: list[float], share: float) -> float:
    return sorted_times[min(len(sorted_times) - 1, int(len(sorted_times) * share))]
