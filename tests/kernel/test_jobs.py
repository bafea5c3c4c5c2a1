"""Jobs: they exist exactly when their act does, are done by one worker at a time, and are never lost."""

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.kernel.conftest import AT, CLERK, make
from yinxin.clock import ManualClock
from yinxin.store import Jobs, Queue
from yinxin.store._jobs import BACKOFF, LEASE, LONGEST_WAIT


@pytest.fixture
def jobs(store):
    return Jobs(store)


def enqueue(store, jobs, *keys, kind="send"):
    with store.act(CLERK, "test.enqueue", "x") as act:
        for key in keys:
            jobs.enqueue(act.session, kind, key, {"key": key})


def queue(store):
    with store.read() as session:
        return list(session.scalars(sa.select(Queue).order_by(Queue.key)))


def test_a_job_is_done_once(store, jobs):
    seen = []
    jobs.handle("send", seen.append)
    enqueue(store, jobs, "a", "b")
    assert jobs.run_due() == 2
    assert jobs.run_due() == 0
    assert sorted(each["key"] for each in seen) == ["a", "b"]
    assert queue(store) == []


def test_a_job_exists_exactly_when_its_act_does(store, jobs):
    with pytest.raises(ZeroDivisionError), store.act(CLERK, "test.enqueue", "x") as act:  # noqa: PT012 - the whole act is refused
        jobs.enqueue(act.session, "send", "a", {})
        raise ZeroDivisionError
    assert queue(store) == []


def test_the_same_key_is_one_job(store, jobs):
    enqueue(store, jobs, "a", "a")
    enqueue(store, jobs, "a")
    assert [each.key for each in queue(store)] == ["a"]


def test_two_acts_at_once_with_one_key_both_succeed(store, jobs, database_engine):
    if database_engine == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    second = threading.Thread(target=enqueue, args=(store, jobs, "a"))
    with store.act(CLERK, "test.enqueue", "x") as act:
        jobs.enqueue(act.session, "send", "a", {})
        second.start()
        second.join(0.5)
        assert second.is_alive()  # it waits for the first to end
    second.join()
    assert [each.key for each in queue(store)] == ["a"]


def test_jobs_of_a_kind_nobody_handles_wait(store, jobs):
    enqueue(store, jobs, "a", kind="other")
    jobs.handle("send", lambda _payload: None)
    assert jobs.run_due() == 0
    assert len(queue(store)) == 1


def test_a_failing_job_is_put_off_longer_each_time_and_never_lost(store, jobs):
    tries = []

    def fail(_payload):
        tries.append(store.clock.now())
        raise RuntimeError("no route")

    jobs.handle("send", fail)
    enqueue(store, jobs, "a")
    wait = BACKOFF
    for attempt in range(1, 15):
        assert jobs.run_due() == 1
        (row,) = queue(store)
        assert (row.attempts, row.last_error) == (attempt, "RuntimeError: no route")
        assert row.due - store.clock.now() == min(wait, LONGEST_WAIT)
        assert jobs.run_due() == 0
        store.clock.advance(row.due - store.clock.now())
        wait *= 2
    jobs.handle("send", lambda _payload: None)
    assert jobs.run_due() == 1
    assert queue(store) == []


def test_a_failing_job_does_not_hold_up_the_others(store, jobs):
    seen = []

    def some(payload):
        if payload["key"] == "a":
            raise RuntimeError("broken")
        seen.append(payload["key"])

    jobs.handle("send", some)
    enqueue(store, jobs, "a", "b", "c")
    assert jobs.run_due() == 3
    assert sorted(seen) == ["b", "c"]


def test_periodic_work_runs_when_its_time_comes(store, jobs):
    runs = []
    jobs.periodic("sweep", timedelta(minutes=10), lambda: runs.append(store.clock.now()))
    for _ in range(4):
        jobs.run_due()
        store.clock.advance(timedelta(minutes=5))
    assert runs == [AT, AT + timedelta(minutes=10)]
    (row,) = queue(store)
    assert row.last_done == AT + timedelta(minutes=10)
    jobs.periodic("sweep", timedelta(minutes=1), lambda: None)  # another interval, the same row
    assert [each.every for each in queue(store)] == [60]


def test_periodic_work_of_two_processes_starting_at_once_is_one_row(store, database_engine):
    if database_engine == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    threads = [
        threading.Thread(target=lambda: Jobs(store).periodic("sweep", timedelta(minutes=1), lambda: None))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queue(store)) == 1


def test_a_job_under_lease_is_nobody_elses_until_the_lease_ends(store, jobs):
    other, taken = Jobs(store), []

    def during(_payload):  # what fails in here is only put off, so it is judged below
        taken.append(other.run_due())
        store.clock.advance(LEASE + timedelta(seconds=1))
        taken.append(other.run_due())

    def fail(_payload):
        raise RuntimeError("the second's own")

    other.handle("send", fail)
    jobs.handle("send", during)
    enqueue(store, jobs, "a")
    jobs.run_due()
    assert taken == [0, 1]
    (row,) = queue(store)  # the first, late, settles nothing that is not its own
    assert row.last_error == "RuntimeError: the second's own"


def test_what_a_dead_worker_had_leased_is_free_when_no_other_attends(store, jobs):
    """A server that was killed holds up nothing for minutes. Seen to fail while a lease ended by its time alone."""
    seen, other = [], Jobs(store)
    for each in (jobs, other):
        each.handle("send", seen.append)
    enqueue(store, jobs, "a")
    with other.attended():
        assert other._claim(*other._due(), None) is not None  # and is at it
        with jobs.attended():
            assert jobs.run_due() == 0
    assert jobs.run_due() == 0  # it died
    with jobs.attended():
        assert jobs.run_due() == 1
    assert [each["key"] for each in seen] == ["a"]


def test_workers_never_take_the_same_job(store):
    keys = [f"job-{number:03}" for number in range(80)]
    enqueue(store, Jobs(store), *keys)
    seen, lock = [], threading.Lock()

    def work():
        mine = Jobs(store)

        def handle(payload):
            with lock:
                seen.append(payload["key"])

        mine.handle("send", handle)
        mine.run_due()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == keys


_WORKER = """
import sys
from tests.kernel.conftest import make
from yinxin.store import Jobs
jobs = Jobs(make(sys.argv[1]))
def hang(payload):
    print(payload["key"], flush=True)
    sys.stdin.read()
jobs.handle("send", hang)
jobs.run_due()
"""


def test_a_worker_killed_in_mid_job_loses_it_to_another(store, database_url):
    enqueue(store, Jobs(store), "a")
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, database_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert worker.stdout.readline() == "a\n"
    worker.kill()
    worker.communicate()
    seen = []
    again = make(database_url, ManualClock(AT + timedelta(seconds=1)))
    jobs = Jobs(again)
    jobs.handle("send", seen.append)
    assert jobs.run_due() == 0  # the dead worker's lease
    again.clock.advance(LEASE)
    assert jobs.run_due() == 1
    assert seen == [{"key": "a"}]
    assert queue(store) == []
    again.engine.dispose()
