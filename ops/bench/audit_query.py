"""Questions to a log of ten thousand entries and to one of a million, in turn: what growth costs an auditor."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from audit import AuditSettings, Filters, Log
from audit.models import EntryRow
from audit.surroundings import Alone
from ops.bench.measure import Result
from ops.schema import upgrade
from yinxin.act import Actor, Event, Kind, Outcome
from yinxin.clock import ManualClock
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL, SM
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine
from yinxin.tlog import leaf_hash

SMALL = 10_000
#: entries of the large log; another number by the environment, for a run that has more or less time and disk
LARGE = int(os.environ.get("YINXIN_BENCH_ENTRIES", "1000000"))
#: the people and organs of both logs: the large one is the same site, later
_PEOPLE, _ORGANS = 60, 20
#: entries of one document's story, and of one request
_STORY, _REQUEST = 8, 3
_CHUNK = 5_000
_ROUNDS, _ASKED = 7, 15
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_VERBS = ("document.draft", "document.review", "kms.sign", "ca.issue", "ca.revoke", "authz.sign-in")

#: one question of each kind about entry n; the newest page of each
QUESTIONS: Mapping[str, Callable[[int], Filters]] = {
    "person": lambda n: Filters(actor=f"p-{n % _PEOPLE}"),
    "post": lambda n: Filters(post=f"post-{n % _PEOPLE}"),
    "organ": lambda n: Filters(organ=f"o-{n % _ORGANS}"),
    "subtree": lambda _: Filters(under="o-0"),
    "object": lambda n: Filters(object=f"document:{n // _STORY}"),
    "dossier": lambda n: Filters(person=f"p-{n % _PEOPLE}"),
    "verb": lambda n: Filters(verb=_VERBS[n % len(_VERBS)]),
    "module": lambda _: Filters(verb="ca."),
    "span": lambda n: Filters(since=_time(n), until=_time(n + 300)),
    "outcome": lambda _: Filters(outcome=Outcome.REFUSED),
    "request": lambda n: Filters(request=f"r-{n // _REQUEST}"),
    "together": lambda n: Filters(
        actor=f"p-{n % _PEOPLE}", verb="ca.", since=_time(n - 3000), until=_time(n), outcome=Outcome.DONE
    ),
    "refused-by-person": lambda n: Filters(actor=f"p-{n % _PEOPLE}", outcome=Outcome.REFUSED),
}


class _Around(Alone):
    """A province of one level."""

    def below(self, organ: str) -> Sequence[str]:
        return [organ, *(f"o-{n}" for n in range(1, _ORGANS, 2))]


def audit_query() -> Iterator[Result]:
    """Each kind of question, its newest page of fifty, at a million entries beside ten thousand."""
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder:
        logs, filled = {}, {}
        for size in (SMALL, LARGE):
            logs[size] = _log(Path(folder), size)
            began = time.process_time()
            logs[size].index.catch_up()
            filled[size] = size / (time.process_time() - began)
        found = _asked(logs)
        for log in logs.values():
            log.store.engine.dispose()
    yield Result(
        "audit-index",
        filled[LARGE],
        "entries indexed per CPU second",
        {f"{SMALL} entries": filled[SMALL]},
        f"{LARGE} entries from nothing, SQLite",
    )
    for name in QUESTIONS:
        includes = f"{name}: newest page of 50, {LARGE} entries, SQLite, events decoded"
        peer = {f"{SMALL} entries": 1 / found[SMALL][name]}
        yield Result(f"audit-query-{name}", 1 / found[LARGE][name], "per CPU second", peer, includes)


def _time(number: int) -> datetime:
    return _BEGIN + timedelta(seconds=max(0, number) // 3)


def _asked(logs: Mapping[int, Log]) -> Mapping[int, Mapping[str, float]]:
    """Seconds of CPU for one question of each kind at each size, the median over rounds in turn."""
    taken: dict[int, dict[str, list[float]]] = {size: {name: [] for name in QUESTIONS} for size in logs}
    for round_ in range(_ROUNDS):
        for name, question in QUESTIONS.items():
            for size, log in logs.items():
                about = [(7919 * (round_ * _ASKED + each)) % size for each in range(_ASKED)]
                began = time.process_time()
                for number in about:
                    for entry in log.entries(question(number)):
                        entry.fields()
                taken[size][name].append((time.process_time() - began) / _ASKED)
    return {size: {name: median(each) for name, each in names.items()} for size, names in taken.items()}


def _log(folder: Path, size: int) -> Log:
    """A log filled as the sequencer leaves it, but for the trees, which questions do not read."""
    engine = open_engine(f"sqlite:///{folder / f'{size}.sqlite'}")
    upgrade(engine)
    store = Store(engine, clock=ManualClock(_BEGIN), randomness=SystemRandomness())
    for begin in range(0, size, _CHUNK):
        with engine.begin() as connection:
            rows = [_row(number) for number in range(begin, min(size, begin + _CHUNK))]
            connection.execute(sa.insert(EntryRow), rows)
    return Log(store, AuditSettings(), _keys(), data=folder, around=_Around())


def _keys() -> list[PrivateKey]:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return [PrivateKey(ed25519.Ed25519PrivateKey.generate()), PrivateKey.generate(SM)]


def _row(number: int) -> dict[str, Any]:
    person, organ = number % _PEOPLE, number % _ORGANS
    refused = number % 97 == 0
    event = Event(
        id=f"e-{number}",
        time=_time(number),
        actor=Actor(Kind.PERSON, f"p-{person}", post=f"post-{person}", organ=f"o-{organ}"),
        verb=_VERBS[number // 7 % len(_VERBS)],
        subject=f"document:{number // _STORY}",
        outcome=Outcome.REFUSED if refused else Outcome.DONE,
        request=f"r-{number // _REQUEST}",
        error="authz.denied" if refused else None,
        decision={"policies": ["document.drafter"], "resource": {"organ": f"o-{organ}"}},
        facts={"holder": f"person:p-{(number * 31) % _PEOPLE}", "digest": "0" * 64},
    )
    data = event.encode()
    leaf = leaf_hash(INTL.hash, data)
    return {
        "index": number,
        "event": event.id,
        "data": data,
        "leaf_sha256": leaf,
        "leaf_sm3": leaf,
        "time": event.time,
        "verb": event.verb,
        "subject": event.subject,
        "actor": event.actor.id,
        "outcome": event.outcome.value,
        "request": event.request,
    }
