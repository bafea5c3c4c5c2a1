"""Work for processes that die by their own hand at a named step."""

import json
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ca import CeremonyPlan, Holder, IssueRequest
from ca.attribute.request import AttributeRequest
from ca.models import CertificateRow, State
from ca.pair import PairRequest
from kms.escrow.pool import Wanted
from tests.ca.conftest import OFFICER as HOLDER
from tests.ca.conftest import REGISTRAR, ROOT, Site
from tests.ca.crowd import together
from tests.ca.protocols import client_of
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.steps import listen


def small_plan() -> CeremonyPlan:
    """One hierarchy in full, one without services."""
    values = CeremonyPlan.read(ROOT / "plans" / "embedded.toml").model_dump()
    values["hierarchy"][0]["service"] = [
        each for each in values["hierarchy"][0]["service"] if each["label"] in ("intl-ocsp", "tls-server")
    ]
    values["hierarchy"][1]["service"] = []
    values["hierarchy"] = values["hierarchy"][:2]
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


def attributes(url: str, folder: Path, step: str) -> None:
    """Issue an attribute certificate for the one named in the folder and take it back, and die at `step`."""
    site = Site(url, folder)
    listen(lambda name: die() if name == step else None)
    request = AttributeRequest.of("crash", (folder / "serial").read_text(), hours=48)
    row = site.ca.attributes.issue(REGISTRAR, request)
    site.ca.attributes.revoke(REGISTRAR, row.serial, "superseded")


def ask(url: str, folder: Path, step: str) -> None:
    """Send the request in the folder to the authority's addresses, and die at `step`."""
    site = Site(url, folder)
    site.ca.agents.signing()  # made before: what is killed is the enrolment
    listen(lambda name: die() if name == step else None)
    client_of(site).open(**request_in(folder))


def request_in(folder: Path) -> dict[str, Any]:
    """The request that a test left in the folder: arguments of the client's `open`."""
    given: dict[str, Any] = json.loads((folder / "request.json").read_text("utf-8"))
    return {**given, "data": bytes.fromhex(given["data"])}


def leave(folder: Path, data: bytes, **parts: Any) -> None:
    """Leave a request for `ask`."""
    (folder / "request.json").write_text(json.dumps({**parts, "data": data.hex()}), "utf-8")


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


def pair(url: str, folder: Path, step: str) -> None:
    """Issue a pair for the request in the folder, and die at `step`."""
    site = Site(url, folder)
    listen(lambda name: die() if name == step else None)
    holder = Holder("person", "zhang", "clerk-a")
    csr = (folder / "csr").read_bytes()
    site.ca.pairs.issue(REGISTRAR, PairRequest("crash", "person-signing", csr, holder))


def hold(url: str, folder: Path, seen: Path) -> None:
    """Hold an approved ceremony, and die at the first step that no earlier run died at."""
    site = Site(url, folder)
    died = set(seen.read_text().split()) if seen.exists() else set()

    def reached(name: str) -> None:
        with site.store.read() as session:
            issued = sa.select(sa.func.count()).where(CertificateRow.state == State.ISSUED)
            key = f"{name}:{session.scalar(issued)}"
        if key not in died:
            with seen.open("a") as file:
                file.write(key + "\n")
                file.flush()
                os.fsync(file.fileno())
            die()

    proposal = site.authz.proposals.search(HOLDER)[0]  # the newest
    listen(reached)
    if proposal["state"] != "executed":
        site.authz.proposals.execute(HOLDER, proposal["id"])


def crowd(url: str, folder: Path, step: str) -> None:
    """Issue for the requests in the folder, one alone and the rest while it is under way, and die at `step`."""
    site = Site(url, folder)
    requests = [
        IssueRequest(f"crash-{n}", "tls-server", (folder / f"csr-{n}").read_bytes(), Holder("service", "a", None, "county-a"))
        for n in range(5)
    ]  # fmt: skip
    together(site, [partial(site.ca.issue, REGISTRAR, each) for each in requests], lambda name: die() if name == step else None)  # fmt: skip


#: acts that go on after their record is made; what they are about lies in the folder, as `leave_words` left it
ACTS: dict[str, Callable[[Site, Path], object]] = {
    "suspend": lambda site, _: site.ca.suspend(REGISTRAR, words_in(site.folder)[0]),
    "resume": lambda site, _: site.ca.resume(REGISTRAR, words_in(site.folder)[0]),
    "block": lambda site, _: site.ca.blocklist.add(HOLDER, words_in(site.folder)[0], "keyCompromise"),
    "sweep": lambda site, _: site.ca.blocklist.revoke_all(HOLDER, words_in(site.folder)[0]),
    "import": lambda site, folder: site.ca.blocklist.load(HOLDER, folder / "weak"),
    "recheck": lambda site, _: site.ca.recheck.tick(),
    "renew": lambda site, _: site.ca.renew_own(*map(bytes.fromhex, words_in(site.folder)), supersede=True),
    "approve": lambda site, _: site.ca.registrations.approve(CITY, words_in(site.folder)[0]),
    "fill": lambda site, _: site.keys.escrow.fill(),
    "give": lambda site, _: site.keys.escrow.give(SYSTEM, GIVEN),
    "recover": lambda site, _: site.authz.proposals.execute(REGISTRAR, words_in(site.folder)[0]),
}  # fmt: skip
GIVEN = Wanted("give/1", "ecdsa-p256", "person", "zhang", "county-a")
CITY = Actor(Kind.PERSON, "zheng", post="registration-city", organ="city")


def leave_words(folder: Path, *words: str) -> None:
    """Leave for `act` what the act is about."""
    (folder / "words.json").write_text(json.dumps(words), "utf-8")


def words_in(folder: Path) -> list[str]:
    """What `leave_words` left."""
    words: list[str] = json.loads((folder / "words.json").read_text("utf-8"))
    return words


def act(url: str, folder: Path, name: str, step: str, after: float = 0) -> None:
    """Do one of `ACTS` when `after` seconds have passed, and die at `step`."""
    site = Site(url, folder, tables=False, recheck={"batch": 5})
    site.clock.advance(timedelta(seconds=after))
    listen(lambda reached: die() if reached == step else None)
    ACTS[name](site, folder)
