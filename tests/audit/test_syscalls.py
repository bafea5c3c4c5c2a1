"""Every single file system call of an act, its entry and its checkpoint: killed at it, failed with EIO, failed with ENOSPC.

After each the log begins again, holds, and has what was acknowledged. Found and injected by strace.
"""

import re
import shutil
import subprocess
from collections import Counter

import pytest

from .disk import ROOT, python
from .restart import begun, url, wrong_with

pytestmark = pytest.mark.engines("any")

CALLS = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "rename", "unlink")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")


def strace(folder, out, *options, mutant=""):
    command = python("tests.audit.faulty", url(folder), str(folder / "data"), "2", *filter(None, [mutant]))
    whole = ["strace", "-qq", "-e", "signal=none", "-o", str(out), *options, *command]
    return subprocess.run(whole, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def matrix(tmp_path, data):
    """The folder to begin with, and how often each call is made by one run on it."""
    folder = begun(data, tmp_path / "disk")
    trial = tmp_path / "trial"
    shutil.copytree(folder, trial)
    done = strace(trial, tmp_path / "trace", "-e", f"trace={','.join(CALLS)}")
    assert done.returncode == 0, done.stderr
    counted = Counter(re.findall(r"^(\w+)\(", (tmp_path / "trace").read_text(), re.MULTILINE))
    assert counted["fdatasync"] >= 4
    assert counted["rename"] >= 2
    return folder, counted


def tried(matrix, tmp_path, points, mutant=""):
    """What is wrong after each; a fault that was never met does not count."""
    folder, _ = matrix
    found = []
    for at, (call, when, fault) in enumerate(points):
        trial = tmp_path / f"trial-{at}"
        shutil.copytree(folder, trial)
        inject = ("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={when}")
        done = strace(trial, tmp_path / "trace", *inject, mutant=mutant)
        met = "INJECTED" in (tmp_path / "trace").read_text() or done.returncode in (-9, 137)
        assert met, (call, when, fault, done.returncode)
        # what it could not say was not acknowledged; half a line neither
        wrong = wrong_with(trial, done.stdout.splitlines()[: done.stdout.count("\n")] if done.stdout else [])
        if wrong:
            found.append((call, when, fault, wrong))
        shutil.rmtree(trial)
    return found


def test_a_decisive_call(tmp_path, data):
    """The checkpoint file is to get its name, and the disk is full."""
    folder = begun(data, tmp_path / "disk")
    assert tried((folder, {}), tmp_path, [("rename", 1, "error=ENOSPC")]) == []


@pytest.mark.slow
def test_every_call(matrix, tmp_path):
    _, counted = matrix
    points = [
        (call, when, fault)
        for call in CALLS
        for when in range(1, counted[call] + 1)
        for fault in FAULTS
        if (call, fault) != ("unlink", "error=ENOSPC")
    ]
    assert len(points) > 100
    assert tried(matrix, tmp_path, points) == []


@pytest.mark.slow
def test_a_mutant_is_caught(matrix, tmp_path):
    """Acknowledged before it is written: whoever is killed between has lied."""
    _, counted = matrix
    points = [("pwrite64", when, "signal=KILL") for when in range(1, counted["pwrite64"])]
    found = []
    for point in points:
        try:
            found += tried(matrix, tmp_path, [point], "acknowledge-first")
        except AssertionError:
            continue  # the mutant makes fewer calls
    assert found
