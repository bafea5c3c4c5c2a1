"""A ceremony as a proposal: the plan, approved by several people, then held by those who bring the vault token (law 3)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kms.ceremony.conduct import conduct
from kms.ceremony.plan import ReplacePlan
from kms.ceremony.replace import check_replacing
from kms.roles import DECIDERS, OFFICERS
from yinxin.proposal import Approved, Outcome, ProposalKind, Terms
from yinxin.text import Text
from yinxin.wire import Model

if TYPE_CHECKING:
    from kms.service import KeyCentre

NAME = "kms.ceremony"


class CeremonyContent(Model):
    """The plan, as it was reviewed."""

    plan: ReplacePlan


def _terms(_centre: "KeyCentre") -> Terms:
    return Terms(lasts=timedelta(days=30))


def _check(centre: "KeyCentre", content: CeremonyContent) -> None:
    check_replacing(centre, content.plan)


def _describe(centre: "KeyCentre", content: CeremonyContent) -> tuple[Text, ...]:
    plan, vault = content.plan, centre.copies.registered()
    safe = f"{vault.label} ({vault.serial})" if vault else "-"
    fresh = f"{plan.token.label} ({plan.token.serial or '-'})"
    return (
        Text(plan.title, plan.title),
        Text(
            f"镜像中的第 {plan.member + 1} 个令牌由新令牌 {fresh} 代替，并写入全部密钥",
            f"a fresh token {fresh} takes the place of token {plan.member + 1} of the mirror and is given every key",
        ),
        Text(
            f"密钥由保险令牌 {safe} 转交，全程加密；另一令牌逐一核对",
            f"the vault token {safe} passes the keys on, wrapped all the way; the other token is compared with each",
        ),
        Text(f"计划摘要：{plan.digest}", f"digest of the plan: {plan.digest}"),
    )


def _hold(centre: "KeyCentre", approved: Approved[CeremonyContent]) -> Outcome:
    done = conduct(centre, approved.actor, approved.content.plan, pin=centre.vault_pin, approved=approved)
    return done.fields()


CEREMONY: ProposalKind["KeyCentre", Any] = ProposalKind(
    name=NAME,
    title=Text("密钥管理中心的仪式", "a ceremony of the key centre"),
    content=CeremonyContent,
    proposers=OFFICERS,
    approvers=DECIDERS,
    executors=OFFICERS,
    terms=_terms,
    describe=_describe,
    check=_check,
    execute=_hold,
    repeatable=True,
    key=True,
)
