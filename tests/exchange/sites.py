"""Sites of the exchange as tests have them: whole platforms in one process, whose requests reach each other's application."""

import shutil
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import httpx

from exchange.proposals import ADMIT, AdmitContent
from exchange.service import Exchange
from ops.demo.story import SAMPLE
from ops.platform import Platform
from tests.laws.province import client, opened
from yinxin.act import SYSTEM
from yinxin.client import in_process
from yinxin.exchange import Outgoing
from yinxin.proposal import Approved

#: two copies of one province stand for two governments: each receives for another organ
ORGANS = {"jia.example": "city-jia", "yi.example": "city-yi"}


class Net:
    """Requests between sites, with the caller's certificate; what is down does not answer."""

    def __init__(self) -> None:
        self.sites: dict[str, Platform] = {}
        self.down: set[str] = set()
        self.calls: list[tuple[str, str]] = []

    def calling(self, platform: Platform):
        """What makes the clients of a site."""

        def client(peer) -> httpx.Client:
            certificate = platform.exchange.own.calling().certificate.der
            return httpx.Client(transport=_Way(self, peer.site, certificate))

        return client


class _Way(httpx.BaseTransport):
    def __init__(self, net: Net, site: str, certificate: bytes) -> None:
        self.net, self.site, self.certificate = net, site, certificate

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.net.calls.append((request.method, request.url.path))
        if self.site in self.net.down:
            raise httpx.ConnectError("down")
        way = in_process(self.net.sites[self.site].app, certificate=self.certificate)
        answer = way.handle_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())


def copied(template: Path, folder: Path, site: str) -> Path:
    return Path(shutil.copytree(template, folder / site))


def settings(site: str, **more: str) -> tuple[str, ...]:
    given = {
        "exchange.site": f'"{site}"',
        "exchange.organs": f'["{ORGANS.get(site, "")}"]',
        "exchange.url": f'"https://{site}"',
        "exchange.clearance": '"confidential"',
        **more,
    }
    return tuple(f"{name}={value}" for name, value in given.items())


def join(net: Net, platform: Platform) -> Exchange:
    """Let a platform's exchange call by the net."""
    exchange = Exchange(
        platform.store,
        platform.ca,
        platform.authz.directory,
        platform.section("exchange"),
        root=platform.data.root,
        http=net.calling(platform),
    )
    platform.exchange = exchange
    exchange.applications["document"] = platform.document.deliveries
    net.sites[exchange.own.site] = platform
    return exchange


def admit(
    exchange: Exchange, other: Exchange, clearance="confidential", relation="neighbour", carrier="push"
):
    """What several people decided, carried out; what they were shown."""
    return admit_card(exchange, other.publishing.card(), relation, carrier, clearance)


def admit_card(exchange: Exchange, card: bytes, relation: str, carrier: str, clearance="confidential"):
    """As `admit`, of a card that came in a file."""
    content = AdmitContent(
        card=b64encode(card).decode(),
        relation=relation,
        carrier=carrier,
        clearance=clearance,
    )
    # as the proposal keeps it: seen to fail while octets of a content were not written in base64
    content = AdmitContent.model_validate(content.model_dump(mode="json"))
    ADMIT.check(exchange, content)
    words = ADMIT.describe(exchange, content)
    with exchange.store.act(SYSTEM, "test.execute", "proposal:p1") as act:
        ADMIT.within(exchange, Approved("p1", "", content, SYSTEM, ()), act.session)
    return words


class Taking:
    """An application that keeps what it is handed in the order in which it came."""

    def __init__(self) -> None:
        self.taken, self.files, self.answers, self.fault = [], [], [], None

    def prepare(self, message):
        return [b"".join(message.read(number)) for number in range(len(message.files))]

    def take(self, act, message, prepared):
        if self.fault is not None:
            raise self.fault
        act.facts["body"] = message.body["n"]
        self.taken.append(message.body["n"])
        self.files.append(prepared)

    def answered(self, act, answer):
        self.answers.append((answer.reference, answer.error))


def letter(number: int, *, sender="city-jia", recipient="city-yi", grade="internal", files=(), kind="test"):
    return Outgoing(
        reference=f"r{number}",
        sender=sender,
        recipient=recipient,
        kind=kind,
        object=f"document:{number}",
        grade=grade,
        body={"n": number, "text": "同意。"},
        files=tuple(files),
    )


__all__ = ["ORGANS", "Net", "Taking", "admit", "admit_card", "copied", "join", "letter", "opened", "settings"]


def sealed(platform: Platform, folder: Path, reference: str, recipients: Sequence[str]) -> str:
    """A sealed document with an attached file."""
    plan = folder / "方案.txt"
    plan.write_text("附件正文。", "utf-8")
    clerk = client(platform, "demo-clerk").documents
    document = clerk.draft(SAMPLE, reference=reference, kind="NOTICE", recipients=recipients)
    clerk.attach(document, plan)
    clerk.submit(document)
    client(platform, "demo-reviewer").documents.approve(document, "同意")
    client(platform, "demo-leader").documents.sign_off(document)
    client(platform, "demo-registrar").documents.number(document)
    client(platform, "demo-seal").documents.seal(document)
    return document
