"""Granting as an act of several people: whoever could grant alone could give herself everything through a friend."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from authz.grant.records import Wanted
from yinxin.authz import PLATFORM
from yinxin.clock import rfc3339
from yinxin.proposal import About, Approved, Concerned, Outcome, ProposalKind
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.service import Authz


class GrantContent(BaseModel):
    """The template that shall be opened, to whom, over which part of the tree, when and by which source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template: str = Field(min_length=1, max_length=100)
    holder: str = Field(min_length=1, max_length=80)
    organ: str = Field(min_length=1, max_length=64)
    valid_from: AwareDatetime
    valid_to: AwareDatetime
    source: str = Field(min_length=1, max_length=400)
    resource: str | None = Field(default=None, max_length=120)
    """One thing alone, `Type:id`; all of the organ and below without one."""

    def wanted(self) -> Wanted:
        """The grant as the register knows it."""
        return Wanted(**dict(self))


def _about(_authz: "Authz", content: GrantContent) -> About:
    """The affair of the organ whose things are opened; a person never decides on a grant to herself."""
    kind, _, identifier = content.holder.partition(":")
    return About(content.organ, identifier if kind == "person" else "")


def _concerned(_authz: "Authz", content: GrantContent) -> Concerned:
    """Whoever holds the post, or has one in the organ, that is granted to; a person is the holder it is about."""
    kind, _, identifier = content.holder.partition(":")
    named = frozenset({identifier})
    return Concerned(
        posts=named if kind == "post" else frozenset(), organs=named if kind == "organ" else frozenset()
    )


def _check(authz: "Authz", content: GrantContent) -> None:
    authz.grants.sound(content.wanted())


def _describe(authz: "Authz", content: GrantContent) -> tuple[Text, ...]:
    template = authz.decisions.policies.templates.get(content.template)
    if template is None:
        return (
            Text(
                f"模板“{content.template}”已不存在", f"the template “{content.template}” is no longer there"
            ),
        )
    holder, organ = _holder(authz, content.holder), _over(authz, content)
    period = _period(content.valid_from, content.valid_to)
    return (
        Text(
            f"向{holder.zh}授权“{template.text.zh}”，范围{organ.zh}，{period.zh}，来源：{content.source}",
            f"grant “{template.text.en}” to {holder.en} over {organ.en}, {period.en}, by {content.source}",
        ),
        Text(
            f"可执行的操作：{'、'.join(sorted(template.actions))}",
            f"the acts it opens: {', '.join(sorted(template.actions))}",
        ),
    )


def _holder(authz: "Authz", holder: str) -> Text:
    """Who it is, by name and identifier; raises what `sound` raises."""
    kind, _, identifier = holder.partition(":")
    directory = authz.directory
    if kind == "person":
        name = directory.person(identifier).name
        return Text(f"人员{name}（{identifier}）", f"{name} ({identifier})")
    if kind == "post":
        post = directory.post(identifier)
        organ = directory.organ(post.organ).name
        return Text(
            f"{organ.zh}的岗位“{post.name.zh}”（{identifier}）",
            f"the post “{post.name.en}” of {organ.en} ({identifier})",
        )
    if kind == "client":
        registered = authz.oidc.clients.get(identifier).registration.name
        return Text(f"系统“{registered.zh}”（{identifier}）", f"the system “{registered.en}” ({identifier})")
    name_ = directory.organ(identifier).name
    return Text(
        f"机关{name_.zh}及其下级全体在岗人员（{identifier}）",
        f"everybody in {name_.en} and below ({identifier})",
    )


def _over(authz: "Authz", content: GrantContent) -> Text:
    organ = _organ(authz, content.organ)
    if content.resource is None:
        return organ
    return Text(
        f"{organ.zh}中仅 {content.resource} 一项", f"{content.resource} alone, of what is of {organ.en}"
    )


def _organ(authz: "Authz", organ: str) -> Text:
    if organ == PLATFORM:
        return Text("平台自身", "the platform itself")
    name = authz.directory.organ(organ).name
    return Text(f"{name.zh}（{organ}）及其下级", f"{name.en} ({organ}) and below")


def _period(since: datetime, until: datetime) -> Text:
    return Text(f"自 {rfc3339(since)} 至 {rfc3339(until)}", f"from {rfc3339(since)} until {rfc3339(until)}")


def _give(authz: "Authz", approved: Approved[GrantContent], session: Session) -> Outcome:
    grant = authz.grants.give(session, approved.actor, approved.content.wanted(), proposal=approved.proposal)
    return {"grant": grant.id, **grant.link()}


GIVE: "ProposalKind[Authz, GrantContent]" = ProposalKind(
    name="authz.grant",
    title=Text("授权", "grant"),
    content=GrantContent,
    proposers=frozenset({"security-officer"}),
    approvers=frozenset({"security-officer", "leader"}),
    about=_about,
    concerned=_concerned,
    check=_check,
    describe=_describe,
    within=_give,
)
