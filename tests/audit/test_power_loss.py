"""Power is cut at any moment: what was acknowledged and published is there, and the log begins again and holds.

The process's own calls are recorded and replayed (`disk.py`), so it is the real store path: its SQLite, its checkpoint
file. SIGKILL does not show a missing fsync; this does: the mutants lose.
"""

from pathlib import Path

import pytest

from .disk import any_part, lay, nothing, python, record
from .restart import begun, url, wrong_with

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def ran(tmp_path, data):
    """Record a run of so many rounds, of the product or of a mutant; the recording."""

    def run(rounds, mutant=""):
        folder = begun(data, tmp_path / "disk")
        command = python(
            "tests.audit.faulty", url(folder), str(folder / "data"), str(rounds), *filter(None, [mutant])
        )
        recording = record(command, folder, tmp_path / "trace")
        assert recording.status == 0
        return recording

    return run


def fault(recording, until, keep, at: Path) -> str | None:
    """What is wrong after a power cut before call `until`; None when all is well."""
    lay(recording.after(until, keep), recording.folder, at)
    return wrong_with(at, recording.told(until))


def faults(recording, points, tmp_path, seeds=(None, 1)):
    found = []
    for until in points:
        for seed in seeds:
            keep = nothing if seed is None else any_part(seed * 1000 + until)
            wrong = fault(recording, until, keep, tmp_path / f"image-{until}-{seed}")
            if wrong:
                found.append((until, seed, wrong))
    return found


def spread(recording, count):
    size = len(recording.calls)
    return sorted({round(at * size / count) for at in range(1, count + 1)})


def after_each_word(recording):
    """Just after something was said: what was acknowledged must be there."""
    return [at + 1 for at, call in enumerate(recording.calls) if call.said]


def test_a_power_cut_now_and_then(ran, tmp_path):
    recording = ran(2)
    assert [each.split()[0] for each in recording.told(10**9)] == ["ACK", "PUB"] * 2
    assert faults(recording, spread(recording, 8), tmp_path) == []


def test_a_store_that_does_not_synchronise_is_caught(ran, tmp_path):
    recording = ran(1, "off")
    found = faults(recording, after_each_word(recording), tmp_path, seeds=(None,))
    assert found, "the test cannot fail"


@pytest.mark.slow
def test_a_power_cut_at_every_call(ran, tmp_path):
    recording = ran(6)
    assert len(recording.calls) > 100
    assert faults(recording, range(1, len(recording.calls) + 1), tmp_path, seeds=(None, 1, 2, 3)) == []


@pytest.mark.slow
@pytest.mark.parametrize("mutant", ["off", "normal", "in-place", "unsynced-file"])
def test_mutants_are_caught(ran, tmp_path, mutant):
    recording = ran(4, mutant)
    points = (
        range(1, len(recording.calls) + 1)
        if mutant in ("in-place", "unsynced-file")
        else after_each_word(recording)
    )
    found = faults(recording, points, tmp_path, seeds=(None, 1, 2))
    assert found, f"{mutant} was not caught"
