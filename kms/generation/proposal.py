"""Destroying a retired generation's key: nobody does that alone, since whatever an old backup holds under it is lost."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from kms.roles import DECIDERS, OFFICERS
from yinxin.clock import rfc3339
from yinxin.proposal import Approved, Outcome, ProposalKind
from yinxin.text import Text
from yinxin.wire import Model

if TYPE_CHECKING:
    from kms.service import KeyCentre

NAME = "kms.destroy-generation"


class DestroyContent(Model):
    """Which generation's key is destroyed."""

    generation: int = Field(ge=1)
    """Its number, as `yinxin kms generations` lists it; it must be retired."""


def _check(centre: "KeyCentre", content: DestroyContent) -> None:
    centre.generations.destroyable(content.generation)


def _describe(centre: "KeyCentre", content: DestroyContent) -> tuple[Text, ...]:
    found = centre.generations.destroyable(content.generation)
    retired = rfc3339(found.retired) if found.retired else "-"
    return (
        Text(
            f"在密码机中销毁第 {found.number} 代密钥加密密钥 {found.label}，不可恢复",
            f"destroy the key {found.label} of generation {found.number} in the module, for good",
        ),
        Text(
            f"它已于 {retired} 停用，其下没有密文（已移出 {found.moved} 项）",
            f"it was retired at {retired} and nothing lies under it ({found.moved} ciphertexts have moved)",
        ),
        Text(
            "此前所做数据库备份中的密文此后只能用当时的令牌备份打开",
            "ciphertexts in backups of the database from before then open only with a backup of the token of that time",
        ),
    )


def _destroy(centre: "KeyCentre", approved: Approved[DestroyContent]) -> Outcome:
    done = centre.generations.destroy(approved.actor, approved.content.generation)
    return {"generation": done.number, "key": done.label}


DESTROY: ProposalKind["KeyCentre", Any] = ProposalKind(
    name=NAME,
    title=Text("销毁已停用的密钥加密密钥", "destroy a retired wrapping key"),
    content=DestroyContent,
    proposers=OFFICERS,
    approvers=DECIDERS,
    executors=OFFICERS,
    describe=_describe,
    check=_check,
    execute=_destroy,
    repeatable=True,
    key=True,
)
