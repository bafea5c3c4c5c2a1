"""Every single file system call of an act, its entry and its checkpoint: killed at it, failed with EIO, failed with ENOSPC.

After each the log begins again, holds, and has what was acknowledged. Found and injected by strace, which is attached to a child of
a process that has everything imported (`prefork`): what is tried are the log's calls, not those of starting Python.
"""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from .disk import ROOT, python
from .restart import begun, url, wrong_with

pytestmark = pytest.mark.engines("any")

CALLS = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "rename", "unlink")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")


@dataclass
class Ended:
    """How a child ended: its exit status (negative: the signal), what it had said, and what strace saw."""

    status: int
    said: str
    trace: str


class Strace:
    """Runs of `faulty` under strace, on a folder each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            python("tests.audit.prefork"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        self._process.stdin.close()
        assert self._process.wait(60) == 0
        self._process.stdout.close()

    def run(self, folder: Path, *options: str, mutant: str = "") -> Ended:
        said, pipe, trace = (self._folder / name for name in ("said", "pipe", "trace"))
        for each in (said, pipe, trace):
            each.unlink(missing_ok=True)
        os.mkfifo(pipe)
        arguments = [str(said), str(pipe), url(folder), str(folder / "data"), "2", mutant]
        self._tell(arguments)
        child = self._process.stdout.readline().strip()
        command = ["strace", "-e", "signal=none", "-o", str(trace), *options, "-p", child]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            attached = strace.stderr.readline()
            assert "attached" in attached, attached
            pipe.write_bytes(b"")
            status = int(self._process.stdout.readline())
            strace.communicate(timeout=60)
        return Ended(status, said.read_text() if said.exists() else "", trace.read_text())

    def _tell(self, arguments: list[str]) -> None:
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()


@pytest.fixture(scope="module")
def strace(tmp_path_factory):
    found = Strace(tmp_path_factory.mktemp("strace"))
    yield found
    found.close()


@pytest.fixture
def matrix(tmp_path, data, strace):
    """The folder to begin with, and how often each call is made by one run on it."""
    folder = begun(data, tmp_path / "disk")
    trial = tmp_path / "trial"
    shutil.copytree(folder, trial)
    done = strace.run(trial, "-e", f"trace={','.join(CALLS)}")
    assert done.status == 0, done
    counted = Counter(re.findall(r"^(\w+)\(", done.trace, re.MULTILINE))
    assert counted["fdatasync"] >= 4
    assert counted["rename"] >= 2
    return folder, counted


def tried(strace, folder, trial, point, mutant=""):
    """What is wrong after a fault at one call; None when all is well, False when the fault was never met."""
    call, when, fault = point
    shutil.copytree(folder, trial)
    done = strace.run(trial, "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={when}", mutant=mutant)
    if "INJECTED" not in done.trace and done.status != -9:
        shutil.rmtree(trial)
        return False
    # what it could not say was not acknowledged; half a line neither
    wrong = wrong_with(trial, done.said.splitlines()[: done.said.count("\n")])
    shutil.rmtree(trial)
    return wrong


def test_a_decisive_call(tmp_path, data, strace):
    """The checkpoint file is to get its name, and the disk is full."""
    folder = begun(data, tmp_path / "disk")
    assert tried(strace, folder, tmp_path / "trial-0", ("rename", 1, "error=ENOSPC")) is None


@pytest.mark.slow
def test_every_call(matrix, tmp_path, strace):
    """A point that is not met is named like one that does harm: nothing is passed over."""
    folder, counted = matrix
    points = [
        (call, when, fault)
        for call in CALLS
        for when in range(1, counted[call] + 1)
        for fault in FAULTS
        if (call, fault) != ("unlink", "error=ENOSPC")
    ]
    assert len(points) > 100
    found = {point: tried(strace, folder, tmp_path / "point", point) for point in points}
    assert {point: wrong for point, wrong in found.items() if wrong is not None} == {}


@pytest.mark.slow
def test_a_mutant_is_caught(matrix, tmp_path, strace):
    """Acknowledged before it is written: whoever is killed between has lied. The first that is caught is enough."""
    folder, counted = matrix
    points = [("pwrite64", when, "signal=KILL") for when in range(1, counted["pwrite64"] + 1)]
    assert any(tried(strace, folder, tmp_path / "point", point, "acknowledge-first") for point in points)
