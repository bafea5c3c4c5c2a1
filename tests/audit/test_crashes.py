"""kill -9 between any two steps, several sequencers at once, many writers: every acknowledged act, exactly once."""

import signal
import threading
from collections import Counter

import pytest
import sqlalchemy as sa

from audit import EntryNotFound, LogUnavailable, NothingSigned
from audit.checkpoint_file import CheckpointFile
from audit.module import MODULE
from tests.audit import process
from tests.support import forked
from yinxin import steps
from yinxin.act import SYSTEM, Event, Outcome
from yinxin.clock import SystemClock
from yinxin.errors import NotFound
from yinxin.store import OutboxRow, SourceRow

STEPS = [
    "audit.sequence.1-locked",
    "audit.sequence.2-read",
    "audit.sequence.3-entered",
    "audit.sequence.4-taken",
    "audit.sequence.5-committed",
    "audit.checkpoint.1-computed",
    "audit.checkpoint.2-signed",
    "audit.checkpoint.3-remembered",
    "audit.checkpoint.4-stored",
]


@pytest.fixture
def clock():
    return SystemClock()


def in_the_log(site):
    return Counter(entry.event for entry in site.log.entries(limit=100_000))


def finish(site):
    """What the jobs do, and a check of everything."""
    site.log.sequence()
    site.log.checkpoint()
    return site.log.check()


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_two_steps(site, another, step):
    before = [site.act(f"thing:{number}") for number in range(7)]
    site.log.settle(before[3])
    after = [site.act(f"thing:{number}") for number in range(9)]
    assert forked.run(process.crash, site.url, site.data, step) == -signal.SIGKILL
    restarted = another()
    restarted.log.start()
    restarted.act()
    assert finish(restarted).size == 17
    counted = in_the_log(restarted)
    assert set(counted.values()) == {1}
    assert set(before + after) <= set(counted)
    restarted.log.proof(after[0]).verify([restarted.log.verifiers["sha256"]])


def test_killed_before_the_file_ever_was(site, another):
    site.act()
    assert forked.run(process.crash, site.url, site.data, STEPS[-3]) == -signal.SIGKILL
    assert not site.log.checkpoint_file.exists()
    restarted = another()
    restarted.log.start()
    assert finish(restarted).checkpoints == 1


def test_two_sequencer_processes(site):
    together, told = forked.PROCESSES.Barrier(3), forked.PROCESSES.Queue()
    both = [
        forked.PROCESSES.Process(target=process.sequence, args=(site.url, site.data, 40, together, told))
        for _ in range(2)
    ]
    for each in both:
        each.start()
    together.wait(120)
    events = [site.act(f"thing:{number}") for number in range(300)]
    entered = [told.get(timeout=120) for _ in both]
    for each in both:
        each.join()
    assert [each.exitcode for each in both] == [0, 0]
    report = finish(site)
    assert report.size == len(events) >= sum(entered)
    assert in_the_log(site) == Counter(events)


def test_sixteen_writers(site):
    """Acks while the log is drained and proofs are made; refused acts are in it as well, rolled back ones' changes not."""
    acknowledged: list[list[str]] = [[] for _ in range(16)]
    refused: list[list[str]] = [[] for _ in range(16)]
    problems: list[BaseException] = []
    stop = threading.Event()

    def write(number: int) -> None:
        try:
            for count in range(15):
                acknowledged[number].append(site.act(f"writer:{number}", count=count))
                try:
                    with site.store.act(SYSTEM, "test.refused", f"writer:{number}"):
                        raise EntryNotFound(event="x")
                except NotFound as error:
                    refused[number].append(error.entry)
                if count % 5 == 0:
                    site.log.settle(acknowledged[number][-1]).verify([site.log.verifiers["sha256"]])
        except BaseException as error:  # noqa: BLE001 - reported below
            problems.append(error)

    def drain() -> None:
        while not stop.is_set():
            for job in MODULE.jobs:
                job.run(site.log)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    drainer = threading.Thread(target=drain)
    for thread in (drainer, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    drainer.join()
    assert not problems
    finish(site)
    counted = in_the_log(site)
    expected = [event for events in (*acknowledged, *refused) for event in events]
    assert counted == Counter(expected)
    assert len(expected) == 16 * 15 * 2
    order = {entry.event: entry.index for entry in site.log.entries(limit=100_000)}
    for events in acknowledged:
        indexes = [order[event] for event in events]
        assert indexes == sorted(indexes)  # what one writer did later stands later


def test_a_record_that_commits_late_comes_later(site):
    """The row with the lower number becomes visible while the sequencer is at work: it must not be swept away."""
    if site.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    at = site.store.clock.now()
    record = Event("held", at, SYSTEM, "test.act", "thing:1", Outcome.DONE, source="writer-9", number=1)
    held = site.engine.connect()
    held.begin()
    held.execute(sa.insert(SourceRow).values(source=9, last=1))
    held.execute(sa.insert(OutboxRow).values(id=record.id, data=record.encode()))
    quick = site.act()
    steps.listen(lambda name: held.commit() if name == "audit.sequence.3-entered" else None)
    try:
        assert site.log.sequence() == 1
    finally:
        steps.listen(None)
        held.close()
    assert site.log.sequence() == 1
    assert [entry.event for entry in site.log.entries()] == ["held", quick]
    finish(site)


def test_the_file_knows_before_anybody_else(site):
    """A checkpoint that never reached the database is remembered all the same."""

    class Stop(Exception):
        pass

    def stop(name: str) -> None:
        if name == "audit.checkpoint.3-remembered":
            raise Stop

    site.act()
    steps.listen(stop)
    try:
        site.log.sequence()
        with pytest.raises(LogUnavailable):
            site.log.checkpoint()
    finally:
        steps.listen(None)
    assert site.log.checkpoint_file.exists()
    with pytest.raises(NothingSigned):
        site.log.signed()
    finish(site)


def test_no_step_is_forgotten(site):
    """Every gap that the code names is one that the crash tests try, in this order."""
    heard: list[str] = []
    steps.listen(heard.append)
    try:
        site.log.settle(site.act())
    finally:
        steps.listen(None)
    assert heard == STEPS


def test_the_first_checkpoint_of_another_process_is_no_missing_file(site, another, monkeypatch):
    """It is signed between the look at the file and the look at the database: seen with 32 writers on PostgreSQL."""
    other = another()
    read = CheckpointFile.read
    looks = []

    def late(self):
        found = read(self)
        if not looks:
            looks.append(found)
            site.log.settle(site.act())
        return found

    with monkeypatch.context() as patch:
        patch.setattr(CheckpointFile, "read", late)
        other.log.start()
    assert looks == [None]
