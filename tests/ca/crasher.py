"""Work for processes that die by their own hand at a named step."""

import os
import signal
from pathlib import Path

import sqlalchemy as sa

from ca import CeremonyPlan, Holder, IssueRequest
from ca.models import CertificateRow, State
from tests.ca.conftest import REGISTRAR, ROOT, Site
from yinxin.steps import listen


def small_plan() -> CeremonyPlan:
    """One hierarchy in full, one without services."""
    values = CeremonyPlan.read(ROOT / "plans" / "embedded.toml").model_dump()
    values["hierarchy"][0]["service"] = [
        each for each in values["hierarchy"][0]["service"] if each["label"] in ("intl-ocsp", "tls-server")
    ]
    values["hierarchy"][1]["service"] = []
    return CeremonyPlan.model_validate(values)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def issue(url: str, folder: Path, step: str) -> None:
    """Issue for the request in the folder, and die at `step`."""
    site = Site(url, folder)
    listen(lambda name: die() if name == step else None)
    request = IssueRequest(
        "crash", "tls-server", (folder / "csr").read_bytes(), Holder("service", "a", None, "county-a")
    )
    site.ca.issue(REGISTRAR, request)


def ceremony(url: str, folder: Path, seen: Path, every: str) -> None:
    """Hold the ceremony, and die at the first step that no earlier run died at."""
    site = Site(url, folder)
    died = set(seen.read_text().split()) if seen.exists() else set()

    def reached(name: str) -> None:
        key = "-".join(name.split("-")[:2])
        if every == "every":
            with site.store.read() as session:
                issued = sa.select(sa.func.count()).where(CertificateRow.state == State.ISSUED)
                key = f"{name}:{session.scalar(issued)}"
        if key in died:
            return
        with seen.open("a") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        die()

    listen(reached)
    site.found(small_plan())
