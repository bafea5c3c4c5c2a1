"""A founded province with one finished document, served over TLS by the real server; browsers to look at it."""

import json
import re
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest

from authz.directory import DirectoryFile
from authz.tenant.admit import Decided, admit
from authz.tenant.models import TenantRow
from exchange.introduce import card_in, signed_card
from exchange.models import Carrier, Relation
from exchange.peers import Terms, keep
from exchange.service import Exchange
from ops.accounts import Account, enrol
from ops.data import DataDirectory
from ops.demo.found import directory_file, found
from ops.demo.story import SAMPLE, Story
from ops.init import prepare
from ops.platform import Platform
from tests.authz.townsfolk import posts
from tests.laws.province import identity
from tests.support import browser as browsing
from tests.support.network import free_port
from tests.support.once import once
from yinxin.act import SYSTEM
from yinxin.authz import sign_in_statement
from yinxin.client import Client
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.exchange import Outgoing
from yinxin.quota import Measure
from yinxin.text import Text

ROOT = Path(__file__).parents[2]
PEOPLE = frozenset(
    {
        "demo-officer",
        "demo-deputy",
        "demo-clerk",
        "demo-reviewer",
        "demo-leader",
        "demo-registrar",
        "demo-seal",
        "demo-administrator",
        "demo-auditor",
        "city-jia-registrar",
        "city-jia-leader",
        "city-yi-registrar",
        "city-yi-leader",
        "dept-health-registrar",
    }
)
#: a tenant and its people, with the role of each one's post; and an organ that was a tenant
TENANT, FORMER = "dept-emergency", "dept-finance"
TENANTS_FOLK = {
    "emergency-officer": "security-officer",
    "emergency-deputy": "security-officer",
    "emergency-auditor": "auditor",
}
#: seconds until the server must answer, on a machine that does other things as well
PATIENCE = 240
COOKIE = "__Host-yinxin"


@dataclass
class Site:
    """The running site: its address, its people's keys, and the document that the story left."""

    data: DataDirectory
    address: str
    document: str
    evidence: Path
    sealed: Path
    #: a message that waits for the neighbour
    message: str

    def identity(self, person: str) -> Identity:
        return identity(self.data.root, person)

    def client(self, person: str) -> Client:
        return Client(self.address, identity=self.identity(person), trust=self.data.path("trust", "tls.pem"))

    def token(self, person: str) -> str:
        with self.client(person) as client:
            return client.sign_in()


class Process:
    """The server's process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder.with_name("server.log")

    def __enter__(self) -> Self:
        file = self._folder / "run" / "server.json"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.pages.serving", str(self._folder)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE
        while not file.exists():
            assert self._process.poll() is None, self._log.read_text("utf-8")
            assert time.monotonic() < deadline, self._log.read_text("utf-8")
            time.sleep(0.05)
        self.port = json.loads(file.read_text("utf-8"))["port"]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def quiet(_text: object) -> None:
    """No progress display."""


def neighbour(exchange: Exchange) -> str:
    """A site that is reached by hand alone, for whom a message waits; its card names an organ that nobody decided on."""
    own = card_in(exchange.publishing.card())
    name = Text("邻县站点", "The site of a county nearby")
    organs = [replace(own.organs[0], id=each, name=name) for each in ("town-zi-east", "town-zi-west")]
    card = replace(own, site="county.example", name=name, organs=tuple(organs))
    terms = Terms(Relation.NEIGHBOUR, Carrier.MEDIUM, "internal", "P-1", ["town-zi-east"])
    data = signed_card(card, exchange.signing)
    with exchange.store.act(SYSTEM, "test.execute", "proposal:p1") as act:
        keep(act.session, data, card, terms, exchange.store.clock.now())
    letter = Outgoing(
        "seen", "province-office", "town-zi-east", "document", "document:seen", "internal", {"n": 1}
    )
    return exchange.sending.send(SYSTEM, letter).id


def tenants(platform: Platform) -> None:
    """The department of emergencies is a tenant whose people in post are as many as were agreed; that of finance was one."""
    folk = [(each, each, [role]) for each, role in TENANTS_FOLK.items()]
    platform.authz.directory.load(SYSTEM, DirectoryFile.parse(posts(*folk, organ=TENANT)))
    for person in TENANTS_FOLK:
        enrol(platform, Account.of(platform.data, person, "intl"), person, officer=None)
    now = platform.clock.now()
    with platform.store.act(SYSTEM, "test.admit", f"organ:{TENANT}") as act:
        most = {Measure.PEOPLE: len(TENANTS_FOLK), Measure.DOCUMENTS: 300}
        admit(act.session, TENANT, "jade", Decided("p1", "demo-officer", now), most)
        act.session.add(
            TenantRow(
                organ=FORMER, since=now, mark="plum", proposal="p2", ended=now + timedelta(1), ended_by="p3"
            )
        )


def made(folder: Path) -> None:
    """The province as the story leaves it, but for the revocation, and beside it what of it the tests ask for."""
    folder.mkdir()
    data = DataDirectory(folder / "data")
    prepare(data, [], 0)
    # the systems of these tests listen on this machine, where none is told of a logout unbidden
    with data.config.open("a", encoding="utf-8") as file:
        file.write('\n[authz.oidc]\nlogout_networks = ["127.0.0.0/8"]\n')
        # and it exchanges with a site that only a carried file reaches
        file.write('\n[exchange]\nsite = "province.example"\norgans = ["province-office"]\n')
    whole = directory_file()
    kept = tuple(each for each in whole.appointments if each.person in PEOPLE)
    recipients = ("city-jia", "dept-health")
    with Platform.open(data) as platform:
        found(platform, quiet, whole.model_copy(update={"appointments": kept}))
        outcome = Story(platform, SAMPLE, "NOTICE", quiet, recipients).run()
        message = neighbour(platform.exchange)
        tenants(platform)
    left = {name: str(outcome.files[name].relative_to(data.root)) for name in ("evidence", "sealed")}
    left |= {"document": outcome.document, "message": message}
    (folder / "left.json").write_text(json.dumps(left), "utf-8")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The province that is made once for all workers: a copy of each one's own, served until the tests end."""
    folder = once(tmp_path_factory, "site", made)
    left = json.loads((folder / "left.json").read_text("utf-8"))
    data = DataDirectory(Path(shutil.copytree(folder / "data", tmp_path_factory.mktemp("pages") / "data")))
    # each copy is served at ports of its own; where certificates say that their status is, nobody of these tests looks
    text = re.sub(
        r"^((?:plain_)?port) = \d+$",
        lambda line: f"{line[1]} = {free_port()}",
        data.config.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    data.config.write_text(text, "utf-8")
    with Process(data.root) as process:
        yield Site(
            data,
            f"https://127.0.0.1:{process.port}",
            left["document"],
            data.root / left["evidence"],
            data.root / left["sealed"],
            left["message"],
        )


@pytest.fixture
def visit(browser, site):
    """A way to open a browser as somebody: `visit("demo-clerk")`, or nobody; every complaint fails the test."""
    contexts, said = [], []

    def open_as(person=None, *, language="zh", **more):
        locale = "zh-CN" if language == "zh" else "en-GB"
        context = browser.new_context(locale=locale, ignore_https_errors=True, base_url=site.address, **more)
        context.set_default_timeout(browsing.PATIENCE)
        contexts.append(context)
        if person:
            context.add_cookies(
                [
                    {
                        "name": COOKIE,
                        "value": site.token(person),
                        "url": site.address,
                        "secure": True,
                        "httpOnly": True,
                        "sameSite": "Strict",
                    }
                ]
            )
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield open_as
    for context in contexts:
        context.close()
    # a refusal is a failed load to the browser; anything else it says, a policy violation above all, is a fault
    assert [text for text in said if "Failed to load resource: the server responded with" not in text] == []


@contextmanager
def _authenticator(browser, site, **more):
    """A browser with a virtual authenticator, at the site's name: browsers keep passkeys for names alone."""
    address = site.address.replace("127.0.0.1", "localhost")
    context = browser.new_context(locale="zh-CN", ignore_https_errors=True, base_url=address)
    context.set_default_timeout(browsing.PATIENCE)
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        **more,
    }
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    page.unlock = lambda verified: devtools.send(
        "WebAuthn.setUserVerified", {"authenticatorId": made, "isUserVerified": verified}
    )
    yield page
    context.close()
    assert [text for text in said if "Failed to load resource" not in text] == []


@pytest.fixture
def authenticator(browser, site):
    """A browser with an authenticator for signing in."""
    with _authenticator(browser, site) as page:
        yield page


@pytest.fixture
def secret_keeper(browser, site):
    """One whose authenticator computes a passkey's own secret too (PRF); told to decline, such a one locks itself."""
    with _authenticator(browser, site, ctap2Version="ctap2_1", hasPrf=True) as page:
        yield page


def answer_challenge(site, page, person, origin=None):
    """What the person's own computer does with the command on the sign-in page."""
    command = page.locator("pre.command").first.inner_text()
    challenge, shown = re.search(r"--challenge (\S+) --origin (\S+)", command).groups()
    assert shown == (origin or site.address)
    signature = cms.sign_detached(
        site.identity(person), sign_in_statement(challenge, shown), signed_at=datetime.now(UTC)
    )
    page.locator("#answer").fill(b64encode(signature).decode())
    page.locator("form", has=page.locator("#answer")).locator("button").click()
