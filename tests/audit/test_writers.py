"""Many processes write, one is killed at random while the log is drained: every acknowledged act once, in order, in the log.

Seen to fail when: an act is acknowledged before its record is written (the mutant below).
"""

import os
import random
import signal
from pathlib import Path

import pytest

from tests.support.forked import PROCESSES
from yinxin.clock import SystemClock

from .mutants import MUTANTS
from .site import Site


@pytest.fixture
def clock():
    return SystemClock()


def write(url, data, number, acts, said, mutant):  # noqa: PLR0917 - a process's arguments
    """Acts of one writer; each is said, in a file that outlives it, once it is acknowledged."""
    if mutant:
        MUTANTS[mutant](setattr)
    site = Site(url, Path(data))
    site.log.start()
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for count in range(acts):
        os.write(descriptor, f"{site.act(f'writer:{number}', count=count)}\n".encode())
    site.close()


def ran(site, tmp_path, writers, acts, mutant=""):
    """Let them write, kill one of them when it has said something; what each had said."""
    files = [tmp_path / f"said-{number}" for number in range(writers)]
    victim = random.Random(len(files)).randrange(writers)
    # who is to be killed goes on until it is
    counts = [acts if number != victim else 10**9 for number in range(writers)]
    running = [
        PROCESSES.Process(target=write, args=(site.url, str(site.data), number, count, str(file), mutant))
        for number, (count, file) in enumerate(zip(counts, files, strict=True))
    ]
    for process in running:
        process.start()
    while not files[victim].exists() or files[victim].read_bytes().count(b"\n") < acts // 3:
        site.log.sequence()
        site.log.checkpoint()
        assert running[victim].is_alive()
    os.kill(running[victim].pid, signal.SIGKILL)
    while any(process.is_alive() for process in running):
        site.log.sequence()
        site.log.checkpoint()
    for number, process in enumerate(running):
        process.join()
        assert process.exitcode == (-signal.SIGKILL if number == victim else 0)
        process.close()
    site.log.sequence()
    site.log.checkpoint()
    return [file.read_text().split() for file in files], victim


def missing(site, said):
    """Acknowledged acts that are not in the log once, or not in the order of their writer."""
    site.log.check()
    entries = list(reversed(site.log.entries(limit=100_000)))
    order = {entry.event: entry.index for entry in entries}
    assert len(order) == len(entries)
    found = [event for events in said for event in events if event not in order]
    for events in said:
        indexes = [order[event] for event in events if event in order]
        assert indexes == sorted(indexes)
    return found


@pytest.mark.engines("any")
def test_a_few_writers(site, tmp_path):
    said, victim = ran(site, tmp_path, 4, 10)
    assert missing(site, said) == []
    assert [len(each) for at, each in enumerate(said) if at != victim] == [10] * 3


@pytest.mark.slow
def test_thirty_two_writers(site, tmp_path):
    said, _ = ran(site, tmp_path, 32, 60)
    assert missing(site, said) == []


@pytest.mark.slow
def test_who_acknowledges_first_is_caught(site, tmp_path):
    said, _ = ran(site, tmp_path, 4, 30, "acknowledge-first")
    assert missing(site, said)
