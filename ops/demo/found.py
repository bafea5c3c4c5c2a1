"""Founding the miniature province: directory, ceremony, the officers' and everybody's certificates, trust files.

Every step looks first whether it has been done; a founding that was cut off is finished by founding again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from authz.directory import DirectoryFile
from ca.ceremony import CeremonyPlan, conduct
from ca.request import Holder
from ops.accounts import Account, enrol
from ops.acting import OFFICER, acting_person
from ops.demo.credentials import grant_credentials
from seal.plan import SealPlan
from yinxin import files
from yinxin.act import SYSTEM
from yinxin.crypto.suite import PQ
from yinxin.text import Text

if TYPE_CHECKING:
    from ops.platform import Platform

FOLDER = Path(__file__).parent
SUITES = ("intl", "sm")
#: who also has an account of the suite pq: enough to try it, and no more to wait for
PQ_PEOPLE = (OFFICER, "demo-clerk")

Report = Callable[[Text], None]


def directory_file() -> DirectoryFile:
    """The organs, posts and people of the miniature province."""
    return DirectoryFile.read(FOLDER / "province.toml")


def suites_of(person: str) -> tuple[str, ...]:
    """The suites in which a demo person has an account."""
    return (*SUITES, PQ.name) if person in PQ_PEOPLE else SUITES


def found(
    platform: "Platform", report: Report = lambda _text: None, province: DirectoryFile | None = None
) -> None:
    """Make the province in this data directory, the miniature one unless another is given.

    `report` hears each stage as it begins.
    """
    province = province or directory_file()
    report(
        Text(
            f"机构名录：{len(province.organs)} 个机关、{len(province.people)} 名演示人员",
            f"directory: {len(province.organs)} organs, {len(province.people)} demo people",
        )
    )
    if not platform.authz.directory.organs(limit=1):
        # loaded whole or not at all; once it is there it is for people to change, and no later start undoes what they decided
        platform.authz.directory.load(SYSTEM, province)
    report(
        Text(
            "密钥仪式：三套算法的根、签发机构、时间戳与印章",
            "ceremony: roots, issuing authorities, timestamps and seals in three suites",
        )
    )
    conduct(
        platform.ca.ctx, platform.kms, SYSTEM, CeremonyPlan.read(FOLDER / "ceremony.toml"), platform.data.root
    )
    _trust(platform)
    _seals(platform, report)
    report(Text("安全管理员的首张证书", "the first certificate, for the security officer"))
    posts = {appointment.person: appointment.post for appointment in province.appointments}
    for suite in suites_of(OFFICER):
        enrol(platform, Account.of(platform.data, OFFICER, suite), posts[OFFICER], officer=None)
    _everybody(platform, posts, report)
    grant_credentials(platform)


def _seals(platform: "Platform", report: Report) -> None:
    """The seal of the office: nobody is there yet to approve it, so the founding makes it, as it makes the authorities."""
    report(Text("制章：办公厅的公章", "the seal of the general office"))
    plan = SealPlan(organ="province-office", keeper="province-office-seal-keeper")
    platform.seal.found(plan, "founding-province-office")


def _everybody(platform: "Platform", posts: dict[str, str], report: Report) -> None:
    accounts = [
        (Account.of(platform.data, person, suite), post)
        for person, post in posts.items()
        for suite in suites_of(person)
    ]
    waiting = [
        (account, post) for account, post in accounts if not account.file.exists() or account.pending.exists()
    ]
    if not waiting:
        return
    report(
        Text(
            f"签发 {len(waiting)} 张个人证书：重要岗位由初始化签发，其余由安全管理员签发",
            f"{len(waiting)} personal certificates: by the founding for posts of power, else by the security officer",
        )
    )
    officer = acting_person(platform, None, None)
    for account, post in waiting:
        # no officer certifies people of power by herself, and nobody is there yet to decide on applications
        founded = platform.ca.ctx.register.of_power(Holder("person", account.person, post))
        enrol(platform, account, post, officer=None if founded else officer)


def _trust(platform: "Platform") -> None:
    """The log's public keys beside the root certificates: what a stranger needs to verify with."""
    keys = "".join(f"{verifier.encode()}\n" for verifier in platform.audit.verifiers.values())
    file = platform.data.path("trust", "log.vkey")
    if not file.exists() or file.read_text("utf-8") != keys:
        files.replace(file, keys.encode())
