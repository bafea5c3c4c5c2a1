"""Questions to a log of ten thousand entries and to one of a million, in turn: what growth costs an auditor."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median

from audit import Filters
from ops.bench.filled import ORGANS, PEOPLE, REQUEST, STORY, VERBS, Filled, filled, time_of
from ops.bench.measure import Result
from yinxin.act import Outcome

SMALL = 10_000
#: entries of the large log; another number by the environment, for a run that has more or less time and disk
LARGE = int(os.environ.get("YINXIN_BENCH_ENTRIES", "1000000"))
_ROUNDS, _ASKED = 7, 15

#: one question of each kind about entry n; the newest page of each
QUESTIONS: Mapping[str, Callable[[int], Filters]] = {
    "person": lambda n: Filters(actor=f"p-{n % PEOPLE}"),
    "post": lambda n: Filters(post=f"post-{n % PEOPLE}"),
    "organ": lambda n: Filters(organ=f"o-{n % ORGANS}"),
    "subtree": lambda _: Filters(under="o-0"),
    "object": lambda n: Filters(object=f"document:{n // STORY}"),
    "dossier": lambda n: Filters(person=f"p-{n % PEOPLE}"),
    "dossier-of-an-hour": lambda n: Filters(
        person=f"p-{n % PEOPLE}", since=time_of(n), until=time_of(n + 10_800)
    ),
    "verb": lambda n: Filters(verb=VERBS[n % len(VERBS)]),
    "module": lambda _: Filters(verb="ca."),
    "span": lambda n: Filters(since=time_of(n), until=time_of(n + 300)),
    "outcome": lambda _: Filters(outcome=Outcome.REFUSED),
    "request": lambda n: Filters(request=f"r-{n // REQUEST}"),
    "together": lambda n: Filters(
        actor=f"p-{n % PEOPLE}", verb="ca.", since=time_of(n - 3000), until=time_of(n), outcome=Outcome.DONE
    ),
    "refused-by-person": lambda n: Filters(actor=f"p-{n % PEOPLE}", outcome=Outcome.REFUSED),
}


def audit_query() -> Iterator[Result]:
    """Each kind of question, its newest page of fifty, at a million entries beside ten thousand."""
    with filled(SMALL, LARGE) as logs:
        found = _asked(logs)
    small, large = logs[SMALL], logs[LARGE]
    yield Result(
        "audit-fill",
        large.entered,
        "entries per second",
        {"goal": 30_000.0},
        f"{LARGE} entries with both trees, SQLite, durable, 20,000 a transaction, made as they are entered; when the log was filled",
    )
    yield Result(
        "audit-index",
        large.indexed,
        "entries indexed per CPU second",
        {f"{SMALL} entries": small.indexed},
        f"{LARGE} entries from nothing, SQLite; when the log was filled",
    )
    for name in QUESTIONS:
        includes = f"{name}: newest page of 50, {LARGE} entries, SQLite, events decoded"
        peer = {f"{SMALL} entries": 1 / found[SMALL][name]}
        yield Result(f"audit-query-{name}", 1 / found[LARGE][name], "per CPU second", peer, includes)


def _asked(logs: Mapping[int, Filled]) -> Mapping[int, Mapping[str, float]]:
    """Seconds of CPU for one question of each kind at each size, the median over rounds in turn."""
    taken: dict[int, dict[str, list[float]]] = {size: {name: [] for name in QUESTIONS} for size in logs}
    for round_ in range(_ROUNDS):
        for name, question in QUESTIONS.items():
            for size, each_log in logs.items():
                log = each_log.log
                about = [(7919 * (round_ * _ASKED + each)) % size for each in range(_ASKED)]
                began = time.process_time()
                for number in about:
                    for entry in log.entries(question(number)):
                        entry.fields()
                taken[size][name].append((time.process_time() - began) / _ASKED)
    return {size: {name: median(each) for name, each in names.items()} for size, names in taken.items()}
