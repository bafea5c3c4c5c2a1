"""Requests in words: who could do what to which thing."""

from collections.abc import Mapping

from authz.proof.literals import OWN, SELF, Account
from authz.proof.scope import ABOVE, BELOW, BESIDE, Request
from authz.roles import MACHINE_ROLES, ROLES
from yinxin.authz import LEVEL_TEXT, PLATFORM
from yinxin.text import Text

PLACES: Mapping[str, Text] = {
    OWN: Text("本机关", "the own organ"),
    BELOW: Text("下级机关", "an organ below"),
    ABOVE: Text("上级机关", "an organ above"),
    BESIDE: Text("同级其他机关", "an organ beside"),
    PLATFORM: Text("平台自身", "the platform"),
}
#: values that need no word
ORDINARY: tuple[object, ...] = ("other", ["other"], [], 0, False)
_SELF = Text("本人", "herself")
_OWN = Text("本机关", "her organ")


def who(account: Account) -> Text:
    """The asker, in words."""
    named = [{**ROLES, **MACHINE_ROLES}[each] for each in sorted(account.roles)]
    zh, en = "、".join(each.zh for each in named), " and ".join(each.en for each in named)
    for power in sorted(account.elsewhere):
        zh, en = (
            f"{zh or '在岗人员'}（另任{ROLES[power].zh}）",
            f"{en or 'whoever is in post'} (also {ROLES[power].en})",
        )
    if account.tenant:
        zh, en = f"租户的{zh or '在岗人员'}", f"{en or 'whoever is in post'} of a tenant"
    if not account.appointed:
        return Text(f"未在岗的{zh or '人员'}", f"{en or 'somebody'} not in post")
    return Text(zh or "任何在岗人员", en or "whoever is in post")


def what(request: Request) -> Text:
    """The thing, where it is and what makes it special, in words."""
    place, level = PLACES[request.place], LEVEL_TEXT[request.resource.level]
    zh, en = [f"密级{level.zh}"], [f"level {level.en}"]
    for name, value in {**request.resource.attributes, **request.context}.items():
        shown = value[0] if isinstance(value, list) and value else value
        if shown in (SELF, OWN):
            word = _SELF if shown == SELF else _OWN
            zh.append(f"{name}={word.zh}")
            en.append(f"{name}={word.en}")
        elif value not in ORDINARY:
            zh.append(f"{name}={shown}")
            en.append(f"{name}={shown}")
    for name in ("region", "sharing"):
        if value := getattr(request.resource, name):
            zh.append(f"{name}={value}")
            en.append(f"{name}={value}")
    kind = request.resource.type
    return Text(f"{place.zh}的 {kind}（{'，'.join(zh)}）", f"a {kind} of {place.en} ({', '.join(en)})")


def sentence(request: Request, *, allowed: bool = True) -> Text:
    """The request as a statement: who may, or may not, do what to which thing."""
    asker, thing = who(request.account), what(request)
    may = Text("可以", "may") if allowed else Text("不得", "may not")
    return Text(
        f"{asker.zh}{may.zh}对{thing.zh}执行 {request.action}",
        f"{asker.en} {may.en} do {request.action} to {thing.en}",
    )
