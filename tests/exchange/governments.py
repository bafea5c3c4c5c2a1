"""Three governments whose people are cleared for secrets: a province, a city, and a county below the city.

The province issues; the city receives, answers and passes on; the county has what the province issued by the city's hand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from apps.document.models import Document
from apps.document.sites.models import Arrival
from authz.directory import DirectoryFile
from ca.request import Holder
from ops.accounts import Account, enrol
from ops.acting import acting_person
from ops.demo.found import directory_file
from ops.platform import Platform
from seal.plan import SealPlan
from tests.laws.asking import Desk
from tests.laws.province import PEOPLE, client
from yinxin.act import SYSTEM
from yinxin.client import Client
from yinxin.distribution import Copy
from yinxin.documents import DossierOut, SecrecyIn

from .sites import Net, admit, copied, join, opened, settings

PROVINCE, CITY, OTHER_CITY, COUNTY, TOWN = (
    "province-office",
    "city-jia",
    "city-yi",
    "county-zi",
    "town-zi-east",
)
#: the sites, and for whom each receives
AT = {"jia.example": (PROVINCE,), "yi.example": (CITY, OTHER_CITY), "bing.example": (COUNTY, TOWN)}
OFFICE = frozenset(
    f"{organ}-{post}" for organ in (CITY, OTHER_CITY, COUNTY, TOWN) for post in ("registrar", "leader")
)
TITLE = "关于开展涉密信息系统检查的通知"
TEXT = f"# {TITLE}\n\n各市人民政府：\n\n请按照要求组织检查，逐项整改。\n"
ANSWER = "# 关于涉密信息系统检查情况的报告\n\n省人民政府办公厅：\n\n检查已经完成，有关问题已经整改。\n"
BASIS = "国家秘密事项目录第 3 项"


def directory() -> DirectoryFile:
    """The demo's organs; everybody is cleared for secrets, and the city's registrar keeps its seal."""
    whole = directory_file()
    keepers = {f"{CITY}-registrar", f"{OTHER_CITY}-registrar"}
    posts = tuple(
        each.model_copy(update={"roles": (*each.roles, "seal-keeper")}) if each.id in keepers else each
        for each in whole.posts
    )
    cleared = tuple(each.model_copy(update={"clearance": "secret"}) for each in whole.people)
    kept = tuple(each for each in whole.appointments if each.person in PEOPLE | OFFICE)
    return whole.model_copy(update={"posts": posts, "people": cleared, "appointments": kept})


def settled(platform: Platform, organs: tuple[str, ...]) -> None:
    """The people of these organs have certificates, and the cities seals."""
    posts = directory()
    platform.authz.directory.load(SYSTEM, posts)
    officer = acting_person(platform, None, None)
    by = {each.person: each.post for each in posts.appointments}
    for person in sorted(OFFICE):
        if not person.startswith(organs):
            continue
        founded = platform.ca.ctx.register.of_power(Holder("person", person, by[person]))
        account = Account.of(platform.data, person, "intl")
        enrol(platform, account, by[person], officer=None if founded else officer)
    for organ in (CITY, OTHER_CITY):
        if organ in organs:
            platform.seal.found(SealPlan(organ=organ, keeper=f"{organ}-registrar"), f"seal-{organ}")


@dataclass
class Governments:
    """The three sites, and what travels between them."""

    net: Net
    platforms: dict[str, Platform]
    folder: Path
    #: pairs of sites that have admitted each other
    lines: list[tuple[str, str]] = field(default_factory=list)
    _clients: dict[tuple[str, str], Client] = field(default_factory=dict)

    jia = property(lambda self: self.platforms["jia.example"])
    yi = property(lambda self: self.platforms["yi.example"])
    bing = property(lambda self: self.platforms["bing.example"])

    def line(self, one: str, other: str, clearance: str = "confidential", below: str = "child") -> None:
        """Both admit each other; the other one stands below, unless it is said what it is."""
        here, there = self.platforms[one].exchange, self.platforms[other].exchange
        admit(here, there, clearance, below)
        admit(there, here, clearance, "parent" if below == "child" else below)
        if (one, other) not in self.lines:
            self.lines.append((one, other))

    def travel(self, rounds: int = 3) -> None:
        """Everything that waits goes where it is to go, and what answers it comes back."""
        for _ in range(rounds):
            for platform in self.platforms.values():
                platform.document.carry()
            for one, other in self.lines:
                for here, there in ((one, other), (other, one)):
                    exchange = self.platforms[here].exchange
                    exchange.courier.call(exchange.peers.get(there), at_once=True)
            for platform in self.platforms.values():
                platform.exchange.delivering.run()

    def as_(self, platform: Platform, person: str) -> Any:
        """What a person of a site does with documents."""
        key = (platform.exchange.own.site, person)
        return self._clients.setdefault(key, client(platform, person)).documents

    def desk(self, platform: Platform, person: str) -> Desk:
        return Desk(platform, person)

    def issue(
        self,
        reference: str,
        recipients: tuple[str, ...],
        *,
        level: str = "confidential",
        period: SecrecyIn | None = None,
        dispatch: bool = True,
    ) -> str:
        """A document of the province, sealed and, unless that is left to the test, dispatched: on its way."""
        file = self.folder / f"{reference}.md"
        file.write_text(TEXT, "utf-8")
        here = self.jia
        clerk = self.as_(here, "demo-clerk")
        if period is None and level != "internal":
            period = SecrecyIn(amount=2, basis=BASIS)
        document = clerk.draft(
            file, reference=reference, kind="NOTICE", recipients=recipients, level=level, secrecy=period
        )
        clerk.submit(document)
        self.as_(here, "demo-reviewer").approve(document, "同意")
        self.as_(here, "demo-leader").sign_off(document)
        registrar = self.as_(here, "demo-registrar")
        registrar.number(document)
        self.as_(here, "demo-seal").seal(document)
        if dispatch:
            registrar.dispatch(document)
        return document

    def answer(self, reference: str, organ: str = CITY) -> str:
        """The city's own report to the province, dispatched, on its way."""
        file = self.folder / f"{reference}.md"
        file.write_text(ANSWER, "utf-8")
        registrar, leader = (self.as_(self.yi, f"{organ}-{post}") for post in ("registrar", "leader"))
        document = registrar.draft(file, reference=reference, kind="REPORT", recipients=(PROVINCE,))
        registrar.submit(document)
        leader.approve(document)
        leader.sign_off(document)
        registrar.number(document)
        registrar.seal(document)
        registrar.dispatch(document)
        return document

    def show(self, platform: Platform, person: str, document: str) -> DossierOut:
        return self.as_(platform, person).show(document)

    def copies(self, platform: Platform, document: str) -> dict[str, str]:
        with platform.store.read() as session:
            rows = session.scalars(sa.select(Copy).where(Copy.item == document))
            return {row.organ: row.state for row in rows}

    def row(self, platform: Platform, document: str) -> Document:
        with platform.store.read() as session:
            row = session.get_one(Document, document)
            session.expunge(row)
            return row

    def level(self, platform: Platform, document: str) -> str:
        with platform.store.read() as session:
            return session.get_one(Document, document).level

    def refused(self, platform: Platform, document: str, organ: str) -> str:
        with platform.store.read() as session:
            return session.get_one(Arrival, (document, organ)).refused or ""


@contextmanager
def governments(stack: Any, template: Path, folder: Path) -> Iterator[Governments]:
    """The sites, founded and opened."""
    net, made = Net(), {}
    for site, organs in AT.items():
        named = "[" + ", ".join(f'"{each}"' for each in organs) + "]"
        root = copied(template, folder, site)
        platform = stack.enter_context(opened(root, *settings(site, **{"exchange.organs": named})))
        settled(platform, organs)
        join(net, platform)
        made[site] = platform
    yield Governments(net, made, folder)
