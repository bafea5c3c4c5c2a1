"""Logs of many entries, for the benches that prove and that ask: filled once, and kept for the next where a folder is named.

A site of sixty people in twenty organs, three entries a second; entry n is the same in every log, so a longer one is the same
site later. Filled past the outbox, twenty thousand entries a transaction, with what the sequencer, the index and the checkpointer
leave: a fill that was cut off goes on where it was.
"""

import gc
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit import AuditSettings, Log
from audit.models import TileRow
from audit.surroundings import Alone
from audit.tree import TREES, completed, log_size
from ops.schema import upgrade
from yinxin.act import Actor, Event, Kind, Outcome
from yinxin.clock import ManualClock
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import SM
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, StoreFull, open_engine
from yinxin.tlog import leaf_hash

#: the folder in which filled logs stay; without it they are made anew and thrown away
KEEP = "YINXIN_BENCH_KEEP"
PEOPLE, ORGANS = 60, 20
#: entries of one document's story, and of one request
STORY, REQUEST = 8, 3
VERBS = ("document.draft", "document.review", "kms.sign", "ca.issue", "ca.revoke", "authz.sign-in")
#: entries of one transaction; octets that an entry takes at most with all that belongs to it
_CHUNK, _OCTETS = 20_000, 1_800
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_INSERT = (
    'INSERT INTO audit_entry ("index", event, data, leaf_sha256, leaf_sm3, time, verb, subject, actor, outcome, request)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class _Around(Alone):
    """A province of one level."""

    def tenant(self, organ: str) -> str | None:  # noqa: ARG002 - the protocol's signature
        """No tenant."""
        return None

    def tenants(self) -> Sequence[str]:
        """None."""
        return ()

    def below(self, organ: str) -> Sequence[str]:
        return [organ, *(f"o-{n}" for n in range(1, ORGANS, 2))]


@dataclass(frozen=True, slots=True)
class Filled:
    """A log that was filled, and how fast: entries entered a second, and indexed a second of the processor."""

    log: Log
    entered: float
    indexed: float


@contextmanager
def filled(*sizes: int) -> Iterator[Mapping[int, Filled]]:
    """A log of each size, entered, indexed and signed; raises StoreFull where the disk has no room for them."""
    kept = os.environ.get(KEEP)
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="yinxin-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    logs: dict[int, Filled] = {}
    try:
        for size in sizes:
            logs[size] = _log(folder / str(size), size)
        yield logs
    finally:
        for each in logs.values():
            each.log.close()
            each.log.store.engine.dispose()
        if not kept:
            shutil.rmtree(folder)


def name_of(number: int) -> str:
    """The identifier of an entry."""
    return f"e-{number}"


def time_of(number: int) -> datetime:
    """When it was done."""
    return _BEGIN + timedelta(seconds=max(0, number) // 3)


def event_of(number: int) -> Event:
    """An entry of the site."""
    person, organ = number % PEOPLE, number % ORGANS
    refused = number % 97 == 0
    return Event(
        id=name_of(number),
        time=time_of(number),
        actor=Actor(Kind.PERSON, f"p-{person}", post=f"post-{person}", organ=f"o-{organ}"),
        verb=VERBS[number // 7 % len(VERBS)],
        subject=f"document:{number // STORY}",
        outcome=Outcome.REFUSED if refused else Outcome.DONE,
        request=f"r-{number // REQUEST}",
        error="authz.denied" if refused else None,
        decision={"policies": ["document.drafter"], "resource": {"organ": f"o-{organ}"}},
        facts={"holder": f"person:p-{(number * 31) % PEOPLE}", "digest": "0" * 64},
    )


def _log(folder: Path, size: int) -> Filled:
    folder.mkdir(exist_ok=True)
    engine = open_engine(f"sqlite:///{folder / 'log.sqlite'}")
    upgrade(engine)
    store = Store(engine, clock=ManualClock(time_of(size)), randomness=SystemRandomness())
    log = Log(store, AuditSettings(), _keys(folder), data=folder, around=_Around())
    rates = folder / "rates.json"
    if entered := _fill(log, folder, size):
        began = time.process_time()
        indexed = log.index.catch_up() / (time.process_time() - began)
        rates.write_text(json.dumps({"entered": entered, "indexed": indexed}))
    log.index.catch_up()
    log.checkpoint()
    return Filled(log, **json.loads(rates.read_text()))


def _keys(folder: Path) -> list[PrivateKey]:
    """Those that the kept log's checkpoints were signed with; they sign nothing else."""
    from cryptography.hazmat.primitives.asymmetric import ed25519

    keys = []
    for name in ("ed25519", "sm2"):
        file = folder / f"{name}.key"
        if not file.exists():
            made = (
                PrivateKey(ed25519.Ed25519PrivateKey.generate())
                if name == "ed25519"
                else PrivateKey.generate(SM)
            )
            file.write_bytes(made.pkcs8())
        keys.append(PrivateKey.load(file.read_bytes()))
    return keys


def _fill(log: Log, folder: Path, size: int) -> float:
    """Up to so many entries, how many a second; 0 when they are there."""
    with log.store.read() as session:
        there = log_size(session)
    if shutil.disk_usage(folder).free < (size - there) * _OCTETS:
        raise StoreFull
    began = time.monotonic()
    gc.disable()  # rows by the ten thousand are no rubbish, and looking through them costs as much as making them
    try:
        for begin in range(there, size, _CHUNK):
            _enter(log.store.engine, begin, min(size, begin + _CHUNK))
    finally:
        gc.enable()
    return (size - there) / (time.monotonic() - began)


def _enter(engine: sa.Engine, begin: int, end: int) -> None:
    """As the sequencer enters them; the rows go to the driver as they are."""
    events = [event_of(number) for number in range(begin, end)]
    data = [each.encode() for each in events]
    leaves = {suite: [leaf_hash(suite.hash, each) for each in data] for suite in TREES}
    with Session(engine) as session, session.begin():
        tiles: list[Mapping[str, Any]] = []
        for suite in TREES:
            tiles += completed(session, suite, begin, leaves[suite])
        rows = [
            (
                *(begin + at, event.id, data[at], *(each[at] for each in leaves.values())),
                *(f"{event.time:%Y-%m-%d %H:%M:%S.%f}", event.verb, event.subject),
                *(event.actor.id, event.outcome.value, event.request),
            )
            for at, event in enumerate(events)
        ]
        session.connection().exec_driver_sql(_INSERT, rows)
        if tiles:
            session.execute(sa.insert(TileRow), tiles)
