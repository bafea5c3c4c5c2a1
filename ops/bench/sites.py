"""Small sites for the exchange's benchmarks: one organ, one hierarchy, nobody in office; each with data of its own."""

import json
import shutil
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from authz.directory import DirectoryFile
from ca.ceremony import CeremonyPlan, conduct
from exchange.errors import PeerUnreachable
from exchange.proposals import ADMIT, AdmitContent
from ops.bench.served import running, wait_until
from ops.data import DataDirectory
from ops.demo.found import directory_file
from ops.init import prepare
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.proposal import Approved


def found(folder: Path, site: str, organ: str, url: str) -> bytes:
    """Found a site that receives for an organ of the miniature province and is reached at `url`; its card."""
    found_bare(folder, site, organ, url)
    with Platform.open(DataDirectory(folder)) as platform:
        return platform.exchange.publishing.card()


def found_bare(folder: Path, site: str, organ: str, url: str = "", *, database: str = "") -> None:
    """As `found`, and nothing of its exchange is made yet; on the database at this address unless it is empty."""
    data = DataDirectory(folder)
    prepare(data, [], 0)
    settings = {"site": site, "organs": [organ], "url": url, "networks": ["127.0.0.0/8"], "every": 1}
    with data.path("config.toml").open("a", encoding="utf-8") as file:
        file.write("\n[exchange]\n")
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        if database:
            file.write(f"\n[database]\nurl = {json.dumps(database)}\n")
    whole = directory_file()
    row = next(each for each in whole.organs if each.id == organ).model_copy(update={"parent": None})
    with Platform.open(data) as platform:
        platform.authz.directory.load(SYSTEM, DirectoryFile(organs=(row,)))
        plan = CeremonyPlan.model_validate(_plan(site))
        conduct(platform.ca.ctx, platform.kms, SYSTEM, plan, data.root)


def until_admitted(near: Platform, site: str) -> None:
    """The other site's server takes our certificate once it has looked whom it knows."""
    until = time.monotonic() + 60
    while True:
        try:
            near.exchange.reconciling.ask(near.exchange.peers.get(site))
        except PeerUnreachable:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def _plan(site: str) -> dict[str, object]:
    names = {"ocsp": "ocsp-responder", "tsa": "tsa"}
    services: list[dict[str, object]] = [
        {"label": f"intl-{name}", "profile": profile, "common_name": f"{site} {name}"}
        for name, profile in names.items()
    ]
    server = {
        "label": "tls-server",
        "profile": "tls-server",
        "common_name": "yinxin.localhost",
        "key": "file",
    }
    services.append({**server, "dns": ["yinxin.localhost"], "ip": ["127.0.0.1"]})
    hierarchy = {
        "suite": "intl",
        "root": {"common_name": f"{site} root"},
        "issuing": {"common_name": f"{site} issuing"},
        "service": services,
    }
    return {"organization": site, "hierarchy": [hierarchy]}


def like(folder: Path, model: Path, site: str, organ: str) -> None:
    """Another site in the likeness of one that was founded and never opened as a site: under its roots, by another name."""
    shutil.copytree(model, folder)
    config = folder / "config.toml"
    text = config.read_text("utf-8").split("[exchange]", maxsplit=1)[0]
    settings = {"site": site, "organs": [organ], "url": "", "networks": ["127.0.0.0/8"], "every": 1}
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    config.write_text(f"{text}[exchange]\n{lines}", "utf-8")


def admit(platform: Platform, card: bytes, carrier: str = "push") -> None:
    """As several people decide it."""
    text = b64encode(card).decode()
    content = AdmitContent.model_validate(
        {"card": text, "relation": "neighbour", "carrier": carrier, "clearance": "internal"}
    )
    if ADMIT.within is None:
        raise AssertionError
    with platform.store.act(SYSTEM, "exchange.admit-peer", "proposal:bench") as act:
        ADMIT.within(platform.exchange, Approved("bench", "", content, SYSTEM, ()), act.session)


@contextmanager
def served(folder: Path, port: int) -> Iterator[int]:
    """`yinxin serve` on a site's folder and port; its process."""
    data = DataDirectory(folder)
    where, log = data.path("run", "server.json"), folder.with_suffix(".log")
    where.unlink(missing_ok=True)
    words = ["--data", str(folder), "serve", "--set", f"server.port={port}", "--set", "server.plain_port=0"]
    with running([sys.executable, "-I", "-X", "utf8", "-m", "ops.cli", *words], log) as process:
        wait_until(where.exists, log)
        yield process
