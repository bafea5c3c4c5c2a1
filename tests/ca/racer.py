"""Work for processes that change and publish certificate status at the same time, or die while they do."""

import os
import signal
from pathlib import Path

from ca.status.line import Line
from tests.ca.conftest import REGISTRAR, Site
from yinxin.steps import listen


def work(url: str, folder: Path, name: str, rounds: int) -> None:
    """Issue, revoke, suspend, make lists and answers, as a server does."""
    site = Site(url, folder, status={"shards": 2})
    for number in range(rounds):
        made = site.ca.issue(REGISTRAR, site.request(f"{name}-{number}"))
        held = site.ca.issue(REGISTRAR, site.request(f"{name}-held-{number}"))
        site.ca.suspend(REGISTRAR, held.serial)
        site.ca.revoke(REGISTRAR, made.serial, "superseded")
        site.ca.presign()
        for shard in range(3):
            site.ca.crl(Line("intl-issuing", shard).path)
        if number % 2:
            site.ca.resume(REGISTRAR, held.serial)
    site.close()


def die(url: str, folder: Path, serial: str, step: str) -> None:
    """Revoke, and die at `step`."""
    site = Site(url, folder, status={"shards": 2})
    listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
    site.ca.revoke(REGISTRAR, serial, "keyCompromise")
