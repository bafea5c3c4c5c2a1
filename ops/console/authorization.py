"""Where everything about authorization is found: policies, grants, who may what, and what an officer does about it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import render_template

from ops.console.errors import NotYourAuthorization
from yinxin.text import Text
from yinxin.web import Caller, Pages

if TYPE_CHECKING:
    from ops.platform import Platform

OFFICER, AUDITOR, ADMINISTRATOR, PERSONNEL = (
    "security-officer",
    "auditor",
    "administrator",
    "personnel-officer",
)
#: whose pages these are; each page asks the policies besides
ROLES = frozenset({OFFICER, AUDITOR, ADMINISTRATOR, PERSONNEL})


@dataclass(frozen=True, slots=True)
class Way:
    """One of the pages: what it is called and for, and for whom it is of use."""

    endpoint: str
    title: Text
    about: Text
    roles: frozenset[str]


WAYS = (
    Way(
        "console.policies",
        Text("授权策略", "Policies"),
        Text("现行规则与历次版本；变更前先证明、先看影响", "The rules in force and their versions; a change is proved and its effect shown first"),
        frozenset({OFFICER, AUDITOR}),
    ),
    Way(
        "console.grants",
        Text("授权登记", "Grants"),
        Text("谁在哪个范围、到何时、凭何依据得到了什么", "What was opened to whom, where, until when, and on which basis"),
        frozenset({OFFICER, AUDITOR}),
    ),
    Way(
        "console.roles_matrix",
        Text("谁可以做什么", "Who may what"),
        Text("各机关各角色、逐人权限、三员冲突、闲置账号", "Roles by organ, person by person, conflicts of powers, unused accounts"),
        frozenset({OFFICER, AUDITOR, PERSONNEL}),
    ),
    Way(
        "console.review_list",
        Text("任职复核", "Reviews"),
        Text("限期逐一确认任职，无人确认的到期终止", "Appointments are confirmed by a deadline, or end"),
        frozenset({OFFICER, AUDITOR, PERSONNEL}),
    ),
    Way(
        "console.client_list",
        Text("接入系统", "Clients"),
        Text("用本平台身份登录的系统：登记、更换口令、停用、谁在使用", "Systems that rely on our sign-in: registered, re-keyed, ended, and who is signed on"),
        frozenset({OFFICER, AUDITOR}),
    ),
    Way(
        "console.tenant_list",
        Text("租户", "Tenants"),
        Text("在本平台上自行管理的机关及其用量", "Organs that run their own affairs on this platform, and how much is theirs"),
        frozenset({OFFICER, AUDITOR, ADMINISTRATOR}),
    ),
    Way(
        "console.replay",
        Text("重放判定", "Replay a decision"),
        Text("按审计记录，用当时的策略和事实重新判定", "Decide again what the log records, with the policies and facts of that time"),
        frozenset({AUDITOR}),
    ),
    Way(
        "console.imports",
        Text("名录导入", "Imports"),
        Text("由表导入机关、岗位、人员和任职：先试算，再提案", "Organs, posts, people and appointments from tables: rehearsed, then proposed"),
        frozenset({OFFICER, ADMINISTRATOR}),
    ),
)  # fmt: skip


def add(pages: Pages, _platform: "Platform") -> None:
    """Declare the page."""

    @pages.get("/console/authorization")
    def authorization(caller: Caller) -> str:
        if not caller.roles & ROLES:
            raise NotYourAuthorization
        return render_template(
            "console/authorization.html", ways=[each for each in WAYS if each.roles & caller.roles]
        )
