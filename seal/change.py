"""What becomes of a seal: suspended at once by one person, back in use or destroyed by several; handed to another keeper."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from seal.errors import KeeperElsewhere, SealMoved, SealUnknown
from seal.find import Registered
from seal.find import seal as find_seal
from seal.models import SealRow, State
from seal.words import REASONS, STATES
from yinxin.act import Actor
from yinxin.proposal import About, Approved, Outcome, ProposalKind
from yinxin.text import Text
from yinxin.wire import Model

if TYPE_CHECKING:
    from seal.service import Seals

SUSPEND, RESUME, DESTROY, HAND_OVER = "seal.suspend", "seal.resume", "seal.destroy", "seal.hand-over"
Reason = Literal["lost", "compromised", "organ-ended", "left-office", "damaged"]
_USABLE = (State.ACTIVE, State.SUSPENDED)


class DestroyPlan(Model):
    """The end of a seal."""

    seal: str = Field(min_length=1, max_length=40)
    """The seal."""
    reason: Reason
    """Why: lost, compromised, organ-ended, left-office, damaged."""


class ResumePlan(Model):
    """A suspended seal's return."""

    seal: str = Field(min_length=1, max_length=40)
    """The seal."""


def suspend(seals: "Seals", actor: Actor, id_: str, reason: Reason) -> Registered:
    """Take a seal out of use at once; raises SealUnknown, SealMoved, Denied."""
    found, decision = _permitted(seals, actor, SUSPEND, id_)
    with seals.store.act(actor, SUSPEND, f"seal:{found.id}", organ=found.organ, reason=reason) as act:
        act.decision = decision
        row = _locked(act.session, found.id, (State.ACTIVE,))
        _move(row, State.SUSPENDED, seals.store.clock.now(), reason)
    return find_seal(seals.store, id_)


def hand_over(seals: "Seals", actor: Actor, id_: str, post: str) -> Registered:
    """Another post of the organ keeps the seal from here on; raises SealUnknown, KeeperElsewhere, SealMoved, Denied."""
    found, decision = _permitted(seals, actor, HAND_OVER, id_)
    with seals.store.refusing(actor, HAND_OVER, f"seal:{found.id}"):
        if seals.directory.post(post).organ != found.organ:
            raise KeeperElsewhere(post=post, organ=found.organ)
    with seals.store.act(actor, HAND_OVER, f"seal:{found.id}", organ=found.organ) as act:
        act.decision = decision
        row = _locked(act.session, found.id, _USABLE)
        act.facts |= {"from": f"post:{row.keeper}", "to": f"post:{post}"}
        row.keeper = post
    return find_seal(seals.store, id_)


def _permitted(seals: "Seals", actor: Actor, verb: str, id_: str) -> tuple[Registered, dict[str, Any]]:
    """The seal, and the record of the permission."""
    with seals.store.refusing(actor, verb, f"seal:{id_[:40]}"):
        found = find_seal(seals.store, id_)
    return found, seals.decider.require(actor, verb, found.resource()).record()


def _locked(session: Session, id_: str, states: tuple[State, ...]) -> SealRow:
    row = session.get(SealRow, id_, with_for_update=True)
    if row is None:
        raise SealUnknown(seal=id_)
    if row.state not in states:
        raise SealMoved(name=row.name, state=STATES[State(row.state)])
    return row


def _move(row: SealRow, to: State, now: datetime, reason: str | None = None) -> SealRow:
    row.state, row.changed, row.reason = to, ended_since(row, to, now), reason
    return row


def ended_since(row: SealRow, to: State, now: datetime) -> datetime:
    """When a seal has been in the state `to`; one that was suspended before it ended has been out of use since then.

    Whoever had found a lost seal would otherwise have had until its destruction to put it on.
    """
    return row.changed if row.state == State.SUSPENDED and to is not State.ACTIVE else now


# --- the kinds -------------------------------------------------------------------------------------------------


def _about(seals: "Seals", plan: DestroyPlan | ResumePlan) -> About:
    return About(find_seal(seals.store, plan.seal).organ)


def _in(*states: State) -> Any:
    def check(seals: "Seals", plan: DestroyPlan | ResumePlan) -> None:
        found = find_seal(seals.store, plan.seal)
        if found.state not in states:
            raise SealMoved(name=found.name, state=STATES[found.state])

    return check


def _describe_end(seals: "Seals", plan: DestroyPlan) -> tuple[Text, ...]:
    found, reason = find_seal(seals.store, plan.seal), REASONS[plan.reason]
    return (
        Text(
            f"注销印章“{found.name}”（{found.id}），原因：{reason.zh}",
            f"destroy the seal “{found.name}” ({found.id}): {reason.en}",
        ),
        Text(
            "注销后不能恢复；此前盖过的文件仍然有效",
            "it never comes back; what it was put on before still holds",
        ),
    )


def _describe_return(seals: "Seals", plan: ResumePlan) -> tuple[Text, ...]:
    found = find_seal(seals.store, plan.seal)
    return (
        Text(
            f"恢复使用印章“{found.name}”（{found.id}）",
            f"put the seal “{found.name}” ({found.id}) back in use",
        ),
    )


def _end(seals: "Seals", approved: Approved[DestroyPlan], session: Session) -> Outcome:
    plan = approved.content
    row = _move(_locked(session, plan.seal, _USABLE), State.DESTROYED, seals.store.clock.now(), plan.reason)
    return {"seal": row.id, "reason": plan.reason}


def _return(seals: "Seals", approved: Approved[ResumePlan], session: Session) -> Outcome:
    row = _move(
        _locked(session, approved.content.seal, (State.SUSPENDED,)), State.ACTIVE, seals.store.clock.now()
    )
    return {"seal": row.id}


_PROPOSERS = frozenset({"seal-keeper", "leader", "security-officer"})
_APPROVERS = frozenset({"leader", "security-officer"})

DESTROYING: ProposalKind["Seals", Any] = ProposalKind(
    name=DESTROY,
    title=Text("注销印章", "destroy a seal"),
    content=DestroyPlan,
    proposers=_PROPOSERS,
    approvers=_APPROVERS,
    executors=frozenset({"security-officer"}),
    describe=_describe_end,
    check=_in(*_USABLE),
    about=_about,
    within=_end,
    key=True,
)
RESUMING: ProposalKind["Seals", Any] = ProposalKind(
    name=RESUME,
    title=Text("恢复使用印章", "put a seal back in use"),
    content=ResumePlan,
    proposers=_PROPOSERS,
    approvers=_APPROVERS,
    executors=frozenset({"security-officer"}),
    describe=_describe_return,
    check=_in(State.SUSPENDED),
    about=_about,
    within=_return,
    key=True,
)
