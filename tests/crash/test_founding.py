"""The founding killed with SIGKILL at every kind of point and run again: each thing made once, and the books balance.

A file of its own, beside the story's: the two take their time at the same time. In the slow tier: a site is founded once, and
the story that every change may break dies in the other one.
"""

from pathlib import Path

import pytest

from tests.crash.books import close
from tests.crash.driver import Work
from tests.crash.test_main_job import FOUNDING, killed_at_every_kind, opened
from tests.laws.province import PEOPLE, prepared


@pytest.mark.slow
def test_killed_at_every_kind_of_point(tmp_path: Path) -> None:
    work = Work("found", prepared(tmp_path / "data").root, seen=tmp_path / "found", every=True)
    assert killed_at_every_kind(work) >= FOUNDING
    with opened(work) as platform:
        close(platform, PEOPLE, told=False)
