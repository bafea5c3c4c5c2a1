"""What must hold of every set of policies: each theorem says which permission would be a breach of it."""

from collections.abc import Callable
from dataclasses import dataclass

from authz.proof.literals import OWN
from authz.proof.scope import ABOVE, BELOW, BESIDE, CLEARANCE, ELSEWHERE, Request
from yinxin.authz import LEVELS, PLATFORM
from yinxin.text import Text

#: the log shows what the security officer did
_LOG = "audit.read"


@dataclass(frozen=True)
class Theorem:
    """`breached` says of a request that was permitted, and the action's groups, whether that may not be."""

    name: str
    text: Text
    breached: Callable[[Request, frozenset[str]], bool]


def _holds(request: Request, power: str) -> bool:
    return power in request.powers


def _outside(request: Request) -> bool:
    return request.place not in (OWN, BELOW)


def _other_organ(request: Request, groups: frozenset[str]) -> bool:
    reached = request.place in (ABOVE, BESIDE) and not request.names_asker and "open" not in groups
    return reached and not (request.granted and request.place == BESIDE)


def _not_for_her(request: Request, _groups: frozenset[str]) -> bool:
    resource = request.resource
    elsewhere = resource.region == ELSEWHERE
    alone = resource.sharing == "none"
    unagreed = resource.sharing == "conditional" and OWN not in resource.shared_with
    return _outside(request) and (elsewhere or alone or unagreed)


def _written_down(request: Request, groups: frozenset[str]) -> bool:
    source = request.context.get("source_level")
    return "write" in groups and source is not None and source > LEVELS.index(request.resource.level)


THEOREMS: tuple[Theorem, ...] = (
    Theorem(
        "one-power",
        Text("一人不得兼有三员中的两员", "nobody holds two of the three powers"),
        lambda request, _: len(request.powers) > 1,
    ),
    Theorem(
        "auditor-never-writes",
        Text("审计员从不办理", "an auditor never writes"),
        lambda request, groups: _holds(request, "auditor") and "write" in groups,
    ),
    Theorem(
        "administrator-no-keys",
        Text("系统管理员从不接触密钥", "an administrator never touches a key"),
        lambda request, groups: _holds(request, "administrator") and "key" in groups,
    ),
    Theorem(
        "administrator-no-business",
        Text("系统管理员从不接触业务数据", "an administrator never sees business data"),
        lambda request, groups: _holds(request, "administrator") and "business" in groups,
    ),
    Theorem(
        "officer-no-business",
        Text("安全管理员从不办理业务", "a security officer never does business"),
        lambda request, groups: _holds(request, "security-officer") and {"business", "write"} <= groups,
    ),
    Theorem(
        "officer-not-the-log",
        Text("安全管理员从不查阅审计记录", "a security officer never reads the log of her own acts"),
        lambda request, _: _holds(request, "security-officer") and request.action == _LOG,
    ),
    Theorem(
        "own-part-of-the-tree",
        Text(
            "不得触及上级机关和同级其他机关的事物（公开事项、指明本人或本机关者、专门授权除外）",
            "nobody reaches what belongs to an organ above or beside (but what is open, names her or her organ, or was granted)",
        ),
        _other_organ,
    ),
    Theorem(
        "tenant-not-the-platform",
        Text(
            "租户人员不参与平台自身的事务（公开事项和平台为全体人员提供的服务除外）",
            "people of a tenant have no part in the platform's own affairs (but in what is open, and what the platform does for everybody)",
        ),
        lambda request, groups: (
            request.account.tenant and request.place == PLATFORM and not groups & {"open", "house"}
        ),
    ),
    Theorem(
        "no-read-up",
        Text("不得知悉高于本人涉密等级的事物", "nobody reaches what is above her clearance"),
        lambda request, _: LEVELS.index(request.resource.level) > LEVELS.index(CLEARANCE),
    ),
    Theorem(
        "no-write-down",
        Text("较高密级的内容不得写入较低密级的对象", "nothing secret flows into something less secret"),
        _written_down,
    ),
    Theorem(
        "grading",
        Text(
            "不予共享、未约定共享或限定其他区划的数据不得外用",
            "data not shared, not agreed to be shared, or meant for another division is not used outside",
        ),
        _not_for_her,
    ),
    Theorem(
        "no-self-approval",
        Text("不得批准自己的事项", "nobody approves what is her own"),
        lambda request, groups: "approval" in groups and request.own,
    ),
    Theorem(
        "appointed",
        Text("未在岗者不得办理任何事项", "whoever is not in post may do nothing"),
        lambda request, _: not request.account.appointed,
    ),
)
