"""Changes that nobody makes alone: of the tree, of roles, and of who holds a post of power."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.change import AnyChange
from authz.change.base import Differences, wire
from authz.change.roles import proposed_only
from authz.directory.errors import MakeItDirectly, NothingChanges, TenantBoundary
from authz.directory.file import Entry
from authz.directory.look import reach
from authz.directory.past import Difference
from authz.directory.rehearse import rehearsal
from authz.models import OrganRow
from yinxin.act import SYSTEM
from yinxin.authz import PLATFORM
from yinxin.proposal import About, Approved, Concerned, Outcome, ProposalKind
from yinxin.store import Act
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.service import Authz

#: differences that are told one by one on the approver's screen
_TOLD = 100


class ProposedChange(Entry):
    """The change that is proposed."""

    change: AnyChange


def _rehearsed(authz: "Authz", content: ProposedChange) -> Differences:
    change = content.change
    with rehearsal(authz.store, SYSTEM, change.verb, change.subject) as act:
        differences = change.apply(act, authz.store.clock.now())
    if not differences:
        raise NothingChanges(subject=change.subject)
    return differences


def _check(authz: "Authz", content: ProposedChange) -> None:
    """It can be made now, and is none of those that an officer makes directly."""
    with authz.store.read() as session:
        resources = list(content.change.resources(session, authz.store.clock.now()))
        _within_one(session, {each.organ for each in resources})
    if not proposed_only(content.change, resources):
        raise MakeItDirectly(verb=content.change.verb)
    _rehearsed(authz, content)


def _within_one(session: Session, touched: Collection[str]) -> None:
    """Raise TenantBoundary for a change in two tenants, or in one and in its host, for it would be nobody's own affair."""
    query = sa.select(OrganRow.id, OrganRow.tenant).where(OrganRow.id.in_(sorted(touched)))
    found = session.execute(query.order_by(OrganRow.id)).all()
    for organ, tenant in found:
        if tenant != found[0].tenant:
            raise TenantBoundary(organ=organ, other=found[0].id)
    if found and found[0].tenant is not None and PLATFORM in touched:
        raise TenantBoundary(organ=found[0].id, other=PLATFORM)


def _describe(authz: "Authz", content: ProposedChange) -> tuple[Text, ...]:
    """Every difference it would make as things are now; what it could no longer do is told as that."""
    differences = _rehearsed(authz, content)
    told = [Text(_line(each), _line(each)) for each in differences[:_TOLD]]
    if (more := len(differences) - _TOLD) > 0:
        told.append(Text(f"另有 {more} 处变化", f"{more} more differences"))
    return tuple(told)


def _line(each: Difference) -> str:
    before = "-" if each.before is None else wire(each.before)
    after = "-" if each.after is None else wire(each.after)
    return f"{each.subject}  {each.field}: {before} → {after}"


def _about(authz: "Authz", content: ProposedChange) -> About:
    """The lowest organ that everything touched lies at or below; the platform when there is none."""
    with authz.store.read() as session:
        touched = {each.organ for each in content.change.resources(session, authz.store.clock.now())}
        paths = [reach(session, organ) for organ in sorted(touched)]
    common = set(paths[0]).intersection(*paths[1:])
    return About(organ=next((organ for organ in paths[0] if organ in common), PLATFORM))


def _concerned(authz: "Authz", content: ProposedChange) -> Concerned:
    with authz.store.read() as session:
        return Concerned(people=frozenset(content.change.concerns(session, authz.store.clock.now())))


def _make(authz: "Authz", approved: Approved[ProposedChange], session: Session) -> Outcome:
    change = approved.content.change
    _within_one(session, {each.organ for each in change.resources(session, authz.store.clock.now())})
    act = Act(approved.proposal, approved.actor, change.verb, change.subject, session)
    differences = change.apply(act, authz.store.clock.now())
    if not differences:
        raise NothingChanges(subject=change.subject)
    return {"verb": change.verb, "subject": change.subject, "differences": len(differences)}


CHANGE: ProposalKind["Authz", Any] = ProposalKind(
    name="authz.change-directory",
    title=Text("变更机构、角色或三员任职", "change organs, roles or who holds a power"),
    content=ProposedChange,
    proposers=frozenset({"security-officer", "personnel-officer"}),
    approvers=frozenset({"security-officer"}),
    check=_check,
    describe=_describe,
    about=_about,
    concerned=_concerned,
    within=_make,
)
