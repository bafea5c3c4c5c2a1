"""Official documents from one site to another: drafted, signed off, sealed, exchanged and verified there, beside the same within one site."""

import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from ops.accounts import Account
from ops.bench import sites
from ops.bench.measure import Result
from ops.bench.served import cpu_seconds, free_port
from ops.data import DataDirectory
from ops.demo.found import directory_file, found
from ops.demo.story import SAMPLE
from ops.init import prepare
from ops.platform import INSIDE, Platform
from yinxin.client import Client, in_process
from yinxin.text import Text

#: documents of a round, and rounds
COUNT, ROUNDS = 4, 3
NEAR, FAR = ("near.example", "province-office"), ("far.example", "city-yi")
#: an organ of the same site, for the comparison
HERE = "dept-health"
PEOPLE = frozenset(
    {
        "demo-officer",
        "demo-deputy",
        "demo-clerk",
        "demo-reviewer",
        "demo-leader",
        "demo-registrar",
        "demo-seal",
        "city-yi-registrar",
        "dept-health-registrar",
    }
)


def exchange_documents() -> Iterator[Result]:
    """CPU of both ends, from the draft until the other site has verified seal, signatures and log of what it took in."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yinxin-bench-")))
        near, other = _two(stack, folder)
        office = _Office(near)
        taken = 0
        found_: dict[str, list[float]] = {"away": [], "way": [], "here": []}
        for round_ in range(ROUNDS + 1):
            began = time.process_time()
            made = [office.sealed(f"away-{round_}-{number}", FAR[1]) for number in range(COUNT)]
            sealing = time.process_time() - began
            began, theirs = time.process_time(), cpu_seconds(other)
            for each in made:
                office.registrar.dispatch(each)
            near.document.carry()
            sent = 0
            while sent < COUNT:
                sent += near.exchange.courier.push(near.exchange.peers.get(FAR[0]))
            taken += COUNT
            _until_taken(folder / "far", taken)
            way = time.process_time() - began + cpu_seconds(other) - theirs
            began = time.process_time()
            for number in range(COUNT):
                office.registrar.dispatch(office.sealed(f"here-{round_}-{number}", HERE))
            here = time.process_time() - began
            for name, spent in (("away", sealing + way), ("way", way), ("here", here)) if round_ else ():
                found_[name].append(COUNT / spent)
    rates = {name: median(each) for name, each in found_.items()}
    yield Result(
        "exchange-documents",
        rates["away"],
        "documents per CPU-second of both ends",
        {"the same document to an organ of the same site": rates["here"]},
        "one page: drafted, reviewed, signed off, numbered, laid out, sealed (PDF and OFD), dispatched; encrypted, chained, signed, sent by mutual TLS, "
        "receipted, opened; seal, sign-off and attached files verified there before its organ sees it; "
        f"the way alone, from the dispatch on, {1000 / rates['way']:.0f} ms of CPU",
    )


def _two(stack: ExitStack, folder: Path) -> tuple[Platform, int]:
    """The province's office, opened here, and a copy of its site that stands for another government, served."""
    port, data = free_port(), DataDirectory(folder / "near")
    prepare(data, [], 0)
    whole = directory_file()
    kept = tuple(each for each in whole.appointments if each.person in PEOPLE)
    with Platform.open(data) as platform:
        found(platform, _quiet, whole.model_copy(update={"appointments": kept}))
    shutil.copytree(folder / "near", folder / "far")
    cards = {}
    for place, (site, organ), url in (("near", NEAR, ""), ("far", FAR, f"https://127.0.0.1:{port}")):
        settings = {"site": site, "organs": [organ], "url": url, "networks": ["127.0.0.0/8"], "every": 1}
        with (folder / place / "config.toml").open("a", encoding="utf-8") as file:
            file.write("\n[exchange]\n")
            file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        with Platform.open(DataDirectory(folder / place)) as platform:
            cards[place] = platform.exchange.publishing.card()
    with Platform.open(DataDirectory(folder / "far")) as far:
        sites.admit(far, cards["near"], "pull")
        far.exchange.believe()
    near = stack.enter_context(Platform.open(data))
    sites.admit(near, cards["far"])
    other = stack.enter_context(sites.served(folder / "far", port))
    sites.until_admitted(near, FAR[0])
    return near, other


class _Office:
    """The people of the office, signed in."""

    def __init__(self, platform: Platform) -> None:
        def as_(person: str) -> Client:
            identity = Account.of(platform.data, person, "intl").identity()
            return Client(INSIDE, identity=identity, transport=in_process(platform.app), clock=platform.clock)

        self._clerk, self._reviewer, self._leader, self._seal = (
            as_(f"demo-{each}").documents for each in ("clerk", "reviewer", "leader", "seal")
        )
        self.registrar = as_("demo-registrar").documents

    def sealed(self, reference: str, recipient: str) -> str:
        document = self._clerk.draft(SAMPLE, reference=reference, kind="NOTICE", recipients=(recipient,))
        self._clerk.submit(document)
        self._reviewer.approve(document, "同意")
        self._leader.sign_off(document)
        self.registrar.number(document)
        self._seal.seal(document)
        return document


def _until_taken(folder: Path, number: int) -> None:
    """Wait until the site has delivered so many documents; raises RuntimeError when it does not."""
    query = "SELECT count(*) FROM exchange_message WHERE direction = 'in' AND kind = 'document' AND state = 'delivered'"
    until = time.monotonic() + 300
    while time.monotonic() < until:
        connection = sqlite3.connect(f"file:{folder / 'yinxin.db'}?mode=ro", uri=True, timeout=30)
        try:
            if connection.execute(query).fetchone()[0] >= number:
                return
        finally:
            connection.close()
        time.sleep(0.1)
    raise RuntimeError("the other site does not take the documents in")


def _quiet(_text: Text) -> None:
    """No progress display."""
