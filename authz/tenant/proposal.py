"""Making an organ a tenant, changing its quotas, and ending that, as acts of several people.

To let an organ be its own master its host decides: its officers give up what they could see. To end it the tenant decides, for
with that everything of its own lies open to the host again. How much it may have at most (`yinxin.quota`) is agreed on when it is
made one; the host changes it, and the tenant sees that.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlalchemy.orm import Session

from authz.directory.active import active
from authz.directory.file import Entry
from authz.models import OrganRow
from authz.tenant.admit import Decided, able, admit, end, standing
from authz.tenant.errors import NoTenant, QuotasSo, TenantPolicyMissing
from authz.tenant.records import MARK_TEXT, Mark
from yinxin.authz import PLATFORM
from yinxin.proposal import About, Approved, Outcome, ProposalKind
from yinxin.quota import Measure
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.service import Authz

#: without it a tenant's officers would have a part in the platform's affairs; a site that changed its policies may not have it yet
_POLICY = "base.tenant-not-the-platform"
#: what no installation has more of, in a year or at once
MOST, MOST_OCTETS = 10_000_000, 1024**5
_PEOPLE = frozenset({"security-officer"})
_APPROVERS = frozenset({"security-officer", "leader"})


class Limits(Entry):
    """What a tenant may have at most; what is left out has no limit."""

    most_people: int | None = Field(default=None, ge=1, le=MOST)
    """People in a post at one time."""
    most_documents: int | None = Field(default=None, ge=0, le=MOST)
    """Documents drafted in a calendar year."""
    most_octets: int | None = Field(default=None, ge=0, le=MOST_OCTETS)
    """Octets of the files attached to its documents."""

    @property
    def most(self) -> Mapping[Measure, int]:
        """By measure; without those that have no limit."""
        found = {each: getattr(self, f"most_{each}") for each in Measure}
        return {measure: most for measure, most in found.items() if most is not None}


class AdmitContent(Limits):
    """The organ that shall be a tenant, the colour of its pages, and what it may have at most."""

    organ: str = Field(min_length=1, max_length=64)
    """The organ; those below it belong to it, but for other tenants."""
    mark: Mark = "indigo"
    """The colour by which its people know its pages."""


class LimitContent(Limits):
    """The tenant, and what it may have at most from then on."""

    organ: str = Field(min_length=1, max_length=64)
    """The tenant."""


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
        *_limits(content, authz.tenants.used(content.organ)),
    )


def _limits(content: Limits, used: Mapping[Measure, int]) -> tuple[Text, ...]:
    """What it may have at most, a sentence each, beside what it has."""
    return tuple(_limit(measure, content.most.get(measure), used.get(measure, 0)) for measure in Measure)


def _limit(measure: Measure, most: int | None, used: int) -> Text:
    name, has = measure.text, measure.said(used)
    if most is None:
        return Text(f"{name.zh}：不限（现有 {has.zh}）", f"{name.en}: no limit (has {has.en})")
    said = measure.said(most)
    return Text(f"{name.zh}：最多 {said.zh}（现有 {has.zh}）", f"{name.en}: at most {said.en} (has {has.en})")


def _admit(authz: "Authz", approved: Approved[AdmitContent], session: Session) -> Outcome:
    content = approved.content
    decided = Decided(approved.proposal, approved.actor.id, authz.store.clock.now())
    organs, revoked = admit(session, content.organ, content.mark, decided, content.most)
    return {"organ": content.organ, "organs": organs, "grants_revoked": revoked}


def _about_limits(authz: "Authz", content: LimitContent) -> About:
    """The host's affair, that of the organ right above the tenant; the tenant sees it."""
    return About(_host(authz, content.organ) or PLATFORM, informed=content.organ)


def _host(authz: "Authz", organ: str) -> str | None:
    with authz.store.read() as session:
        row = session.get(OrganRow, organ)
        if row is None:
            raise NoTenant(organ=organ)
        return row.parent


def _check_limits(authz: "Authz", content: LimitContent) -> None:
    with authz.store.read() as session:
        if standing(session, content.organ).most == content.most:
            raise QuotasSo(organ=content.organ)


def _describe_limits(authz: "Authz", content: LimitContent) -> tuple[Text, ...]:
    own = authz.directory.organ(content.organ).name
    return (
        Text(
            f"租户{own.zh}（{content.organ}）的额度改为下列各项；已有的不受影响，超出的部分不再增加",
            f"the quotas of tenant {own.en} ({content.organ}) become these; what it has stays, and nothing is added beyond them",
        ),
        *_limits(content, authz.tenants.used(content.organ)),
    )


def _change_limits(_authz: "Authz", approved: Approved[LimitContent], session: Session) -> Outcome:
    content = approved.content
    row = standing(session, content.organ, lock=True)
    before = {str(measure): most for measure, most in row.most.items()}
    row.limit(content.most)
    session.flush()
    return {"organ": content.organ, "before": before, "after": {str(m): most for m, most in row.most.items()}}


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
LIMIT: ProposalKind["Authz", Any] = ProposalKind(
    name="authz.limit-tenant",
    title=Text("调整租户额度", "change a tenant's quotas"),
    content=LimitContent,
    proposers=_PEOPLE,
    approvers=_APPROVERS,
    about=_about_limits,
    check=_check_limits,
    describe=_describe_limits,
    within=_change_limits,
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
