"""What a process of its own does, for crash and concurrency tests (`tests.support.forked`)."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from yinxin import steps

from .site import Site


def _opened(url: str, folder: Path) -> Site:
    file = folder / "settings.json"
    return Site(url, folder, **(json.loads(file.read_text()) if file.exists() else {}))


def _die_at(step: str) -> None:
    steps.listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)


def crash(url: str, folder: Path, step: str) -> None:
    """Enter what waits and sign a checkpoint, and die at `step`."""
    site = _opened(url, folder)
    _die_at(step)
    site.log.start()
    site.log.sequence()
    site.log.checkpoint()


def cosign(url: str, folder: Path, step: str) -> None:
    """Sign as a witness what the folder holds, and die at `step`."""
    site = _opened(url, folder)
    _die_at(step)
    site.log.cosigner.add((folder / "submission").read_bytes())


def forward(url: str, folder: Path, step: str) -> None:
    """Send copies to the hall, and die at `step`."""
    site = _opened(url, folder)
    _die_at(step)
    site.log.start()
    site.log.forward.send("hall")


def sequence(url: str, folder: Path, rounds: int, together: Any, entered: Any) -> None:
    """Enter and sign so many times, beginning with the others; tell how many entries were one's own."""
    site = _opened(url, folder)
    together.wait(120)
    count = 0
    for _ in range(rounds):
        count += site.log.sequence()
        site.log.checkpoint()
    entered.put(count)
