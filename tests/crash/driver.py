"""Work for processes that die by their own hand: the founding and the main job, killed at a point of our choosing.

A point is a named step of the product (`yinxin.steps`), or one of the two sides of a recorded commit: just before the
transaction that holds the record ends, and just after. Between two points nothing durable happens.
"""

import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import apps.document.layout.render  # noqa: F401 - imported before the fork, so that a run costs no start-up
import ops.web  # noqa: F401 - likewise
from authz.policy_set import load_policies
from ops.data import DataDirectory
from ops.demo.found import found
from ops.demo.story import SAMPLE, Story
from ops.modules import MODULES
from ops.platform import Platform, Seams
from ops.settings import Common, configuration
from tests.laws.province import KIND, RECIPIENTS, quiet, small
from yinxin.act import Event
from yinxin.module import imported
from yinxin.steps import listen

# likewise: what policies say is read and checked once in a process
load_policies({each.name: each.policies for each in MODULES if each.policies})
for _face in (name for module in MODULES for name in module.routes):
    imported(_face)  # before the fork as well: the faces are a second of importing

#: what a point is called among its like: a ceremony's item does not make it another kind of point
_ITEM = re.compile(r"(ca\.ceremony\.3-[a-z]+)-.*")
#: a commit that a named step follows at once, and that is never made again: dying at the step is dying here
SAME_GAP = "ca.revoke:done"


class Told(Story):
    """The story without the strangers: they are processes of their own, which write nothing. The books are closed with them."""

    def _stranger(self, _file: Path, *, holds: bool) -> dict[str, Any]:
        return {"holds": holds, "held": [], "zh": "", "en": ""}


@dataclass(frozen=True)
class Work:
    """Which job, on which data; `seen` is where the points go that a run died at or passed.

    Without `every` a run does not die where a transaction is about to end: what is left then is what dying before it leaves, for
    nothing durable happens in between but what has a named step.
    """

    job: str
    folder: Path
    url: str = ""
    seen: Path | None = None
    die_at: int | None = None
    every: bool = False

    @property
    def overrides(self) -> tuple[str, ...]:
        url = (f"database.url={self.url}",) if self.url else ()
        return (
            "authz.attempts_per_minute=1000",
            *url,
        )  # nobody signs in as often as one who is killed at every step


def kind(point: str) -> str:
    """The point without the number of its occurrence."""
    return _ITEM.sub(r"\1", point)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def record(work: Work) -> None:
    """Do the job to its end, and leave the list of points it passed."""
    passed: list[str] = []
    _do(work, passed.append)
    assert work.seen is not None
    work.seen.write_text("\n".join(passed), "utf-8")


def die_at(work: Work) -> None:
    """Do the job and die at its n-th point."""
    count = 0

    def reached(_point: str) -> None:
        nonlocal count
        count += 1
        if count - 1 == work.die_at:
            die()

    _do(work, reached)


def die_at_new(work: Work) -> None:
    """Do the job and die at the first point of a kind that no earlier run died at."""
    assert work.seen is not None
    seen = work.seen
    died = set(seen.read_text("utf-8").split("\n")) if seen.exists() else set()

    def reached(point: str) -> None:
        if kind(point) in died or (point.startswith("committing:") and not work.every):
            return
        with seen.open("a", encoding="utf-8") as file:
            file.write(kind(point) + "\n")
            file.flush()
            os.fsync(file.fileno())
        die()

    _do(work, reached)


def _do(work: Work, reached: Callable[[str], None]) -> None:
    if work.folder.joinpath("driver.err").exists():
        work.folder.joinpath("driver.err").unlink()
    try:
        _carry_out(work, reached)
    except BaseException:  # noqa: BLE001 - whatever it is, the test shows it
        import traceback

        work.folder.joinpath("driver.err").write_text(traceback.format_exc(), "utf-8")
        sys.exit(1)


def _carry_out(work: Work, reached: Callable[[str], None]) -> None:
    platform = Platform(*parts(work))
    _watch(platform, reached)
    listen(reached)
    try:
        platform.audit.start()
        if work.job == "found":
            found(platform, quiet, small())
        else:
            Told(platform, SAMPLE, KIND, quiet, RECIPIENTS).run()
    finally:
        listen(None)
        platform.close()


def parts(work: Work) -> tuple[DataDirectory, Common, Seams]:
    """What a platform is made of."""
    data = DataDirectory(work.folder)
    return data, configuration(data.config, work.overrides), Seams.real()


def _watch(platform: Platform, reached: Callable[[str], None]) -> None:
    """Both sides of every recorded commit."""
    last = ""

    record = platform.store._record

    def recorded(connection: sa.Connection, *records: Event) -> Any:
        nonlocal last
        taken = record(connection, *records)
        for each in records:
            last = f"{each.verb}:{each.outcome}"
            reached(f"committing:{last}")
        return taken

    platform.store._record = recorded  # type: ignore[method-assign]

    def committed() -> None:
        if last != SAME_GAP:
            reached(f"committed:{last}")

    platform.store.recorded.append(committed)
