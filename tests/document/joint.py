"""Three departments of one province that issue documents together, each with a leader, a registrar and a seal of its own."""

from pathlib import Path

from authz.directory import DirectoryFile
from ca.request import Holder
from ops.accounts import Account, enrol
from ops.acting import acting_person
from ops.demo.found import directory_file
from ops.platform import Platform
from seal.plan import SealPlan
from tests.laws.province import PEOPLE, client
from yinxin.act import SYSTEM
from yinxin.client import Client

MAIN, SECOND, THIRD = DEPARTMENTS = ("dept-finance", "dept-health", "dept-emergency")
TITLE = "关于联合开展政务信息系统安全检查的通知"
TEXT = f"# {TITLE}\n\n各市人民政府：\n\n请按照附件要求组织检查，逐项整改。\n"


def people() -> frozenset[str]:
    return frozenset(f"{organ}-{post}" for organ in DEPARTMENTS for post in ("registrar", "leader"))


def directory() -> DirectoryFile:
    """The demo's organs; the departments' registrars keep their seals."""
    whole = directory_file()
    keepers = {f"{organ}-registrar" for organ in DEPARTMENTS}
    posts = tuple(
        each.model_copy(update={"roles": (*each.roles, "seal-keeper")}) if each.id in keepers else each
        for each in whole.posts
    )
    cleared = tuple(
        each.model_copy(update={"clearance": "secret"}) if each.id in people() else each
        for each in whole.people
    )
    kept = tuple(each for each in whole.appointments if each.person in PEOPLE | people())
    return whole.model_copy(update={"posts": posts, "people": cleared, "appointments": kept})


def settled(platform: Platform) -> None:
    """The departments' people have certificates, and the departments seals."""
    posts = directory()
    platform.authz.directory.load(SYSTEM, posts)
    officer = acting_person(platform, None, None)
    by = {each.person: each.post for each in posts.appointments}
    for person in sorted(people()):
        founded = platform.ca.ctx.register.of_power(Holder("person", person, by[person]))
        account = Account.of(platform.data, person, "intl")
        enrol(platform, account, by[person], officer=None if founded else officer)
    for organ in DEPARTMENTS:
        platform.seal.found(SealPlan(organ=organ, keeper=f"{organ}-registrar"), f"joint-{organ}")


class Desk:
    """The departments at work on one joint document over the API."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.file = folder / "joint.md"
        self.file.write_text(TEXT, "utf-8")
        self._clients: dict[str, Client] = {}

    def as_(self, organ: str, post: str = "registrar") -> Client:
        person = organ if organ.startswith("demo-") else f"{organ}-{post}"
        return self._clients.setdefault(person, client(self.platform, person))

    def draft(self, reference: str = "joint-1", **named: object) -> str:
        named = {"joint": (SECOND, THIRD), "recipients": ("city-jia",), **named}
        return self.as_(MAIN).documents.draft(self.file, reference=reference, kind="NOTICE", **named)

    def put(self, document: str) -> None:
        """Submitted and approved: it lies before the other organs."""
        self.as_(MAIN).documents.submit(document)
        self.as_(MAIN, "leader").documents.approve(document)

    def state(self, document: str) -> str:
        return self.as_(MAIN).documents.show(document).document.state

    def standing(self, document: str) -> dict[str, str]:
        shown = self.as_(MAIN).documents.show(document)
        return {each.organ: each.state for each in shown.countersigners}
