"""Making an organ a tenant, and ending that, as acts of several people.

To let an organ be its own master its host decides: its officers give up what they could see. To end it the tenant decides, for
with that everything of its own lies open to the host again.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlalchemy.orm import Session

from authz.directory.active import active
from authz.directory.file import Entry
from authz.models import OrganRow
from authz.tenant.admit import Decided, able, admit, end, standing
from authz.tenant.errors import NoTenant, TenantPolicyMissing
from authz.tenant.records import MARK_TEXT, Mark
from yinxin.proposal import About, Approved, Outcome, ProposalKind
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.service import Authz

#: without it a tenant's officers would have a part in the platform's affairs; a site that changed its policies may not have it yet
_POLICY = "base.tenant-not-the-platform"
_PEOPLE = frozenset({"security-officer"})
_APPROVERS = frozenset({"security-officer", "leader"})


class AdmitContent(Entry):
    """The organ that shall be a tenant, and the colour of its pages."""

    organ: str = Field(min_length=1, max_length=64)
    """The organ; those below it belong to it, but for other tenants."""
    mark: Mark = "indigo"
    """The colour by which its people know its pages."""


class EndContent(Entry):
    """The tenant that shall be one no longer."""

    organ: str = Field(min_length=1, max_length=64)
    """The tenant."""


def _check(authz: "Authz", content: AdmitContent) -> None:
    if _POLICY not in authz.decisions.policies.reasons:
        raise TenantPolicyMissing(policy=_POLICY)
    with authz.store.read() as session:
        able(session, active(session, content.organ), authz.store.clock.now())


def _about(_authz: "Authz", content: AdmitContent | EndContent) -> About:
    """The organ's own affair and, as long as it is no tenant, that of those above it."""
    return About(content.organ)


def _describe(authz: "Authz", content: AdmitContent) -> tuple[Text, ...]:
    name, mark = authz.directory.organ(content.organ).name, MARK_TEXT[content.mark]
    return (
        Text(
            f"{name.zh}（{content.organ}）及其下级成为租户，页面颜色{mark.zh}",
            f"{name.en} ({content.organ}) and those below it become a tenant, pages in {mark.en}",
        ),
        Text(
            "此后上级机关的安全管理员、审计员和其他岗位不再能查看或办理其事务，其人员也不参与平台自身的事务；公文照常往来",
            "from then on no officer, auditor or other post above sees or decides its affairs, nor do its people those of the platform; documents come and go as before",
        ),
        Text(
            "结束租户关系只能由租户自己的人员决定；此前在其范围内的授权一并撤销",
            "only the tenant's own people can end it; what was granted over it before is revoked",
        ),
    )


def _admit(authz: "Authz", approved: Approved[AdmitContent], session: Session) -> Outcome:
    content = approved.content
    decided = Decided(approved.proposal, approved.actor.id, authz.store.clock.now())
    organs, revoked = admit(session, content.organ, content.mark, decided)
    return {"organ": content.organ, "organs": organs, "grants_revoked": revoked}


def _check_end(authz: "Authz", content: EndContent) -> None:
    with authz.store.read() as session:
        if session.get(OrganRow, content.organ) is None:
            raise NoTenant(organ=content.organ)
        standing(session, content.organ)


def _describe_end(authz: "Authz", content: EndContent) -> tuple[Text, ...]:
    own = authz.directory.organ(content.organ)
    host = authz.directory.organ(own.parent).name if own.parent else Text("平台", "the platform")
    return (
        Text(
            f"{own.name.zh}（{content.organ}）不再是租户，归回{host.zh}",
            f"{own.name.en} ({content.organ}) is a tenant no longer and goes back to {host.en}",
        ),
        Text(
            "此后上级机关的安全管理员和审计员可以查看和办理其管理事务，包括以前的记录",
            "from then on the officers and auditors above see and decide its affairs, what is on record from before among them",
        ),
    )


def _end(authz: "Authz", approved: Approved[EndContent], session: Session) -> Outcome:
    organs = end(session, approved.content.organ, approved.proposal, authz.store.clock.now())
    return {"organ": approved.content.organ, "organs": organs}


ADMIT: ProposalKind["Authz", Any] = ProposalKind(
    name="authz.admit-tenant",
    title=Text("设立租户", "make an organ a tenant"),
    content=AdmitContent,
    proposers=_PEOPLE,
    approvers=_APPROVERS,
    about=_about,
    check=_check,
    describe=_describe,
    within=_admit,
)
END: ProposalKind["Authz", Any] = ProposalKind(
    name="authz.end-tenant",
    title=Text("结束租户关系", "end a tenancy"),
    content=EndContent,
    proposers=_PEOPLE,
    approvers=_APPROVERS,
    about=_about,
    check=_check_end,
    describe=_describe_end,
    within=_end,
)
