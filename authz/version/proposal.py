"""Changing the policies as an act of several people, who are told before they approve what it would let whom do."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from authz.proof import differences, require_separation
from authz.version.affected import affected
from authz.version.change import Change
from yinxin.proposal import Approved, Outcome, ProposalKind
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.service import Authz

#: differences told one by one on the approver's screen; the page of the change has all of them
_TOLD = 40


class ChangeContent(BaseModel):
    """The whole new set, policies and schema (`types`), why, and the version it was made from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1, max_length=1_000_000)
    types: str = Field(min_length=1, max_length=1_000_000)
    note: str = Field(min_length=1, max_length=2000)
    made_from: int = Field(ge=0)

    def change(self) -> Change:
        """The change as the versions know it."""
        return Change(self.text, self.types, self.note, self.made_from)


def _check(authz: "Authz", content: ChangeContent) -> None:
    """Sound, made from the version in force, and proved: before it is proposed, and before each approval."""
    versions = authz.decisions.versions
    versions.check(content.change())
    require_separation(content.change().policies(versions.shipped))


def _describe(authz: "Authz", content: ChangeContent) -> tuple[Text, ...]:
    versions = authz.decisions.versions
    before = versions.version(content.made_from)[1] if content.made_from else versions.shipped
    after = content.change().policies(versions.shipped)
    proof = require_separation(after)
    told = [
        Text(
            f"自第 {content.made_from} 版变更授权策略：{content.note}",
            f"change the policies from version {content.made_from}: {content.note}",
        ),
        Text(
            f"已穷举 {proof.requests} 种抽象请求，三员分立等各项定理全部成立",
            f"every theorem of the separation of powers holds of {proof.requests} abstract requests, all there are",
        ),
    ]
    found = differences(before, after)
    if not found:
        told.append(Text("不改变任何人的权限", "nobody's permissions change"))
    people = affected(authz.store, found[:_TOLD], authz.store.clock.now())
    told += [each.text for each in people]
    if len(found) > _TOLD:
        more = len(found) - _TOLD
        told.append(Text(f"另有 {more} 项变化", f"{more} more changes"))
    return tuple(told)


def _change(authz: "Authz", approved: Approved[ChangeContent], session: Session) -> Outcome:
    versions = authz.decisions.versions
    number = versions.activate(session, approved.actor, approved.content.change(), proposal=approved.proposal)
    return {"version": number}


CHANGE: "ProposalKind[Authz, ChangeContent]" = ProposalKind(
    name="authz.change-policies",
    title=Text("变更授权策略", "change the policies"),
    content=ChangeContent,
    proposers=frozenset({"security-officer"}),
    approvers=frozenset({"security-officer"}),
    check=_check,
    describe=_describe,
    within=_change,
    basis_required=True,
)
