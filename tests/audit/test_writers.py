"""Many processes write, one is killed at random while the log is drained: every acknowledged act once, in order, in the log.

In order: who had acknowledged an act before another began, in whichever process, stands before it; the clock is the machine's own
(CLOCK_MONOTONIC), one for all processes.

Seen to fail when: an act is acknowledged before its record is written (the mutant below); two acknowledged acts change places.
"""

import os
import random
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.forked import PROCESSES
from yinxin.clock import SystemClock

from .mutants import MUTANTS
from .site import Site


class Said(NamedTuple):
    """An act that was acknowledged: when it began, and when it was, in nanoseconds."""

    event: str
    began: int
    ended: int


@pytest.fixture
def clock():
    return SystemClock()


def write(url, data, number, acts, said, mutant):  # noqa: PLR0917 - a process's arguments
    """Acts of one writer; each is said, with when it began and was acknowledged, in a file that outlives it."""
    if mutant:
        MUTANTS[mutant](setattr)
    site = Site(url, Path(data))
    site.log.start()
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for count in range(acts):
        began = time.monotonic_ns()
        event = site.act(f"writer:{number}", count=count)
        os.write(descriptor, f"{event} {began} {time.monotonic_ns()}\n".encode())
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
    # what was cut off in the middle of a line was not said
    whole = [file.read_text().rpartition("\n")[0].splitlines() for file in files]
    return [
        [Said(event, int(began), int(ended)) for event, began, ended in map(str.split, each)]
        for each in whole
    ], victim


def missing(site, said):
    """Acknowledged acts that are not in the log, or not where they must be; each that is there is there once."""
    site.log.check()
    entries = list(reversed(site.log.entries(limit=100_000)))
    order = {entry.event: entry.index for entry in entries}
    assert len(order) == len(entries)
    every = [each for acts in said for each in acts]
    # of what is there no more than one act of each writer was not said: the one that its death cut off
    unsaid = order.keys() - {each.event for each in every}
    assert len(unsaid) <= len(said)
    gone = [each for each in every if each.event not in order]
    return gone + out_of_order([each for each in every if each.event in order], order)


def out_of_order(said, order):
    """Acts that stand behind one that began only after they were acknowledged."""
    found, latest = [], 0
    for each in sorted(said, key=lambda act: order[act.event]):
        if each.ended < latest:
            found.append(each)
        latest = max(latest, each.began)
    return found


@pytest.mark.engines("any")
def test_a_few_writers(site, tmp_path):
    said, victim = ran(site, tmp_path, 4, 10)
    assert missing(site, said) == []
    assert [len(each) for at, each in enumerate(said) if at != victim] == [10] * 3
    # the judge itself: two acts of one writer, the other way round, are out of order
    every = sorted((each for acts in said for each in acts), key=lambda act: act.began)
    order = {each.event: at for at, each in enumerate(every)}
    first, second = (each.event for each in said[victim - 1][:2])
    order[first], order[second] = order[second], order[first]
    assert out_of_order(every, order)


@pytest.mark.slow
def test_thirty_two_writers(site, tmp_path):
    said, victim = ran(site, tmp_path, 32, 60)
    assert missing(site, said) == []
    assert {len(each) for at, each in enumerate(said) if at != victim} == {60}
    assert len(said[victim]) >= 20


@pytest.mark.slow
def test_who_acknowledges_first_is_caught(site, tmp_path):
    said, _ = ran(site, tmp_path, 4, 30, "acknowledge-first")
    assert missing(site, said)
