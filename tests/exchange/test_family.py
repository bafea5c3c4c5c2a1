"""Governments as processes of their own, killed and cut at random while they write to each other: nothing is lost, repeated or out of order."""

import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from tests.exchange import family
from tests.exchange.family import Government, Letter
from tests.exchange.lines import OPEN, SHUT, SILENT, Line
from tests.support.forked import PROCESSES, run

pytestmark = pytest.mark.engines("any")
#: seconds in which something has to come to rest while anything travels, on a machine that does other things as well
PATIENCE = 300
#: seconds in which a site is looked over, however much has been written and whatever else the machine does
LONGEST = 1200

THREE = (
    Government("province.example", ("province-office",)),
    Government("jia.example", ("city-jia",), "province.example"),
    Government("zi.example", ("county-zi", "town-zi-east"), "jia.example", carrier="pull"),
)

SEVEN = (
    Government("state.example", ("state-council",)),
    Government("province.example", ("province-office",), "state.example"),
    Government("jia.example", ("city-jia",), "province.example"),
    Government("yi.example", ("city-yi",), "province.example"),
    Government(
        "zi.example", ("county-zi", "town-zi-east"), "jia.example", carrier="pull", tenant="town-zi-east"
    ),
    Government("yin.example", ("county-yin",), "yi.example", carrier="medium", suite="sm"),
)


class Site:
    """A government as the test has it: where it lies, its line, and the process that serves it."""

    def __init__(self, government: Government, folder: Path, letters: tuple[Letter, ...]) -> None:
        self.government, self.folder, self.letters = government, folder / government.site, letters
        self.line = Line(self.folder)
        self._process = None

    def start(self) -> None:
        (self.folder / "run" / "server.json").unlink(missing_ok=True)
        self._process = PROCESSES.Process(target=family.serve, args=(self.folder, self.letters))
        self._process.start()

    def kill(self) -> None:
        """SIGKILL to server and worker: none has time for a word."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.join()

    def rows(self, query: str) -> list[tuple]:
        """What its database says, read beside its server."""
        connection = sqlite3.connect(f"file:{self.folder / 'yinxin.db'}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    @property
    def log(self) -> str:
        return self.folder.with_suffix(".log").read_text("utf-8", "replace")[-4000:]

    def settled(self) -> tuple[int, int]:
        """Letters that went out and are receipted, and that came in and were taken."""
        ((out, taken),) = self.rows(
            "SELECT coalesce(sum(direction = 'out' AND state = 'received'), 0),"
            " coalesce(sum(direction = 'in' AND state = 'delivered'), 0) FROM exchange_message WHERE kind = 'letter'"
        )
        return out, taken


class Family:
    """The governments, founded and admitted by each other along the tree."""

    def __init__(self, governments: tuple[Government, ...], folder: Path, letters: list[Letter]) -> None:
        self.folder, self.letters = folder, letters
        self.sites = {
            each.site: Site(each, folder, tuple(one for one in letters if one.sender in each.organs))
            for each in governments
        }
        self.at = {organ: each.site for each in governments for organ in each.organs}

    def found(self) -> None:
        database = self.folder / "empty.db"
        assert run(family.schema, database) == 0
        for site in self.sites.values():
            assert run(family.found, site.folder, site.government, site.line.url, database) == 0
        for near in self.sites.values():
            for far in self.sites.values():
                if (
                    near.government.site in ("", far.government.parent)
                    or far.government.site == near.government.parent
                ):
                    card = far.folder / "card"
                    assert run(family.admit, near.folder, near.government, far.government, card) == 0

    def settled(self) -> int:
        """Letters that are receipted where they came from and taken where they went."""
        found = [each.settled() for each in self.sites.values()]
        return min(sum(out for out, _ in found), sum(taken for _, taken in found))

    def carry(self, near: Site) -> None:
        """A medium goes both ways between a site and the one above it."""
        above = self.sites[near.government.parent]
        file = self.folder / "medium"
        for one, other in ((near, above), (above, near)):
            assert run(family.carry, one.folder, other.folder, file, other.government.site) == 0

    def disturb(self, chance: random.Random) -> None:
        """Something goes wrong somewhere, for a moment."""
        site = chance.choice(list(self.sites.values()))
        what = chance.choice(("kill", "kill", "cut", "cut", SHUT, SILENT))
        if what == "kill":
            site.kill()
            time.sleep(chance.uniform(0, 0.5))
            site.start()
        elif what == "cut":
            for _ in range(5):
                site.line.cut(chance, 0.5)
                time.sleep(chance.uniform(0, 0.2))
        else:
            site.line.state = what
            time.sleep(chance.uniform(0.2, 1))
            site.line.state = OPEN
            site.line.cut(chance)

    def settle(self, chance: random.Random, disturbances: int) -> None:
        """Let so many things go wrong while letters travel, then let everything come to rest."""
        for _ in range(disturbances):
            self.disturb(chance)
            time.sleep(chance.uniform(0, 1))
        last, deadline = -1, 0.0
        while (settled := self.settled()) < len(self.letters):
            if settled > last:
                last, deadline = settled, time.monotonic() + PATIENCE
            assert time.monotonic() < deadline, self.told()
            for each in self.sites.values():
                if each.government.carrier == "medium":
                    self.carry(each)
            time.sleep(0.5)

    def told(self) -> str:
        states = "SELECT peer, direction, state, kind, count(*) FROM exchange_message GROUP BY 1, 2, 3, 4"
        works = "SELECT peer, work, failures, error FROM exchange_courier"
        return "\n".join(
            f"{name}: {site.rows(states)} {site.rows(works)}\n{site.log}" for name, site in self.sites.items()
        )

    def prove(self) -> None:
        """Each letter was taken once, in its order, as it was written; logs, stores and neighbours agree."""
        expected = {(each.sender, each.n): each for each in self.letters}
        for name, site in self.sites.items():
            answer = site.folder / "answer"
            assert run(family.look_over, site.folder, answer, seconds=LONGEST) == 0, site.log
            said = json.loads(answer.read_text("utf-8"))
            assert said["faults"] == []
            assert set(said["differing"].values()) <= {None}, said
            for tenant, (own, foreign, seen) in said["listed"].items():
                both = sum(tenant in (each.sender, each.recipient) for each in self.letters)
                assert (own, foreign, seen) == (both, 0, 0), (tenant, said["listed"])
            events = [
                json.loads(data) for (data,) in site.rows('SELECT data FROM audit_entry ORDER BY "index"')
            ]
            taken = [
                (each["facts"]["from"], each["facts"]["n"], each["facts"]["digests"])
                for each in events
                if each["verb"] == "exchange.deliver" and each["outcome"] == "done" and "n" in each["facts"]
            ]
            wanted = [each for each in self.letters if self.at[each.recipient] == name]
            assert sorted((sender, n) for sender, n, _ in taken) == sorted(
                (each.sender, each.n) for each in wanted
            )
            for sender, n, digests in taken:
                assert digests == [sha256(expected[sender, n].content).hexdigest()]
            for origin in self.sites:
                order = [n for sender, n, _ in taken if self.at[sender] == origin]
                assert order == sorted(order), (name, origin)

    def proved_to_strangers(self) -> None:
        """Every letter with its receipt is evidence that holds with no line to anybody, given the roots of the two sites."""
        for name, site in self.sites.items():
            others = [each.folder / "trust" for each in self.sites.values()]
            number = sum(self.at[each.sender] == name for each in self.letters)
            assert run(family.proved_all, site.folder, others, number, seconds=LONGEST) == 0, site.log


def written(
    governments: tuple[Government, ...], number: int, largest: int, chance: random.Random
) -> list[Letter]:
    """Letters between any two organs of different sites, who know each other by the directory at most."""
    home = {organ: each for each in governments for organ in each.organs}
    pairs = [
        (sender, recipient)
        for sender, here in home.items()
        for recipient, there in home.items()
        if here.site != there.site and (here.reached or there.reached)
    ]
    return [Letter(n, *chance.choice(pairs), chance.randrange(1, largest)) for n in range(number)]


def together(governments: tuple[Government, ...], folder: Path, letters: list[Letter]) -> Iterator[Family]:
    """The family, founded and served; at the end nothing of it runs."""
    kin = Family(governments, folder, letters)
    with ExitStack() as stack:
        for site in kin.sites.values():
            stack.callback(site.line.close)
            stack.callback(site.kill)
        kin.found()
        for site in kin.sites.values():
            site.start()
        yield kin


def test_three_governments(tmp_path):
    """Seen to fail while sites heard of each other downwards only: a county called a province that knew nothing of it.

    And to stand still while the jobs of a server that was killed stayed leased for minutes.
    """
    chance = random.Random(7)
    letters = written(THREE, 40, 100_000, chance)
    for kin in together(THREE, tmp_path, letters):
        kin.settle(chance, 8)
        kin.prove()


@pytest.mark.slow
def test_seven_governments(tmp_path):
    """The State Council's stub, a province, two cities, two counties and a township as a tenant, and a thousand documents; then bits are flipped.

    `YINXIN_FAMILY_LETTERS` says another number of documents.
    """
    chance = random.Random(1)
    number = int(os.environ.get("YINXIN_FAMILY_LETTERS", "1000"))
    letters = written(SEVEN, number, 100_000, chance)
    watch = Watch(number)
    for kin in together(SEVEN, tmp_path, letters):
        watch.lap("founded")
        kin.settle(chance, max(8, number * 60 // 1000))
        watch.lap("settled")
        kin.prove()
        watch.lap("proved")
        kin.proved_to_strangers()
        watch.lap("proved to strangers")
        for name in ("province.example", "yin.example"):
            site = kin.sites[name]
            site.kill()
            assert run(family.flipped, site.folder, 2, seconds=3 * LONGEST) == 0, site.log
        watch.lap("flipped")


class Watch:
    """Says where the time goes, to whoever runs it with `-s`."""

    def __init__(self, number: int) -> None:
        self._number, self._since = number, time.monotonic()

    def lap(self, what: str) -> None:
        """What is done now, and how long it took."""
        now = time.monotonic()
        print(f"{self._number} letters, {what}: {now - self._since:.0f} s", flush=True)
        self._since = now
