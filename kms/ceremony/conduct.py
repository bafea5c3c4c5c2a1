"""The ceremony itself: from a reviewed plan to what it makes.

Every step looks first whether it has been done, so that a ceremony that was cut off is finished by starting it again
with the same plan; another plan is not begun before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kms.ceremony.errors import (
    KeyCeremonyUnfinished,
    KeyPlanRefused,
    KeyProposalNeeded,
    KeysExist,
    VaultNeeded,
)
from kms.ceremony.models import CeremonyRow
from kms.ceremony.plan import Plan, PreparePlan, ReplacePlan
from kms.ceremony.prepare import prepare
from kms.ceremony.rehearse import rehearse
from kms.ceremony.replace import check_replacing, replace
from kms.ceremony.vault import TypedPin, opened
from kms.find import list_keys
from kms.token import locked
from yinxin.act import Actor, Outcome
from yinxin.errors import YinxinError
from yinxin.proposal import Approved
from yinxin.steps import step
from yinxin.text import Text

if TYPE_CHECKING:
    from kms.service import KeyCentre

VERB = "kms.ceremony"


@dataclass(frozen=True)
class Done:
    """What the ceremony gave: keys by label with where they lie, and the tokens' serial numbers by their part."""

    plan_digest: str
    keys: Mapping[str, str]
    tokens: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        return {"plan": self.plan_digest, "keys": dict(self.keys), "tokens": dict(self.tokens)}


def conduct(
    centre: "KeyCentre",
    actor: Actor,
    plan: Plan,
    *,
    pin: TypedPin | None = None,
    approved: Approved[Any] | None = None,
) -> Done:
    """Carry the plan out; `pin` opens the vault, `approved` is the proposal by which it is held. Safe to repeat.

    Only the first ceremony needs no proposal, for nobody holds a certificate yet. Raises KeysExist, KeyCeremonyUnfinished,
    KeyProposalNeeded, VaultNeeded, and whatever is wrong with plan and tokens, before anything is made.
    """
    subject = f"ceremony:{plan.digest}"
    try:
        with locked(centre.folder / "ceremony.lock"):
            return _conduct(centre, actor, plan, pin, approved)
    except YinxinError as error:
        centre.store.refuse(actor, VERB, subject, error)
        raise


def _conduct(
    centre: "KeyCentre", actor: Actor, plan: Plan, pin: TypedPin | None, approved: Approved[Any] | None
) -> Done:
    # 1. everything that can be known before anything is made
    begun = _begun(centre, plan)
    if plan.vault is not None and pin is None:
        raise VaultNeeded
    if isinstance(plan, PreparePlan):
        if begun is None and not plan.instead_of and (known := list_keys(centre.store, limit=10)):
            raise KeysExist(labels=", ".join(each.label for each in known))
        rehearse(centre.settings, plan)
    else:
        if approved is None:
            raise KeyProposalNeeded
        check_replacing(centre, plan)
    # 2. intent
    _intend(centre, actor, plan, begun, approved)
    step("kms.ceremony.2-intended")
    # 3. tokens and keys
    done = _hold(centre, actor, plan, pin)
    step("kms.ceremony.3-held")
    # 4. done
    facts: dict[str, Any] = {
        "tokens": dict(done.tokens),
        "keys": len(done.keys),
        "labels": sorted(done.keys)[:100],
    }
    with centre.store.act(actor, VERB, f"ceremony:{plan.digest}", kind=plan.kind, **facts) as act:
        row = act.session.get_one(CeremonyRow, plan.digest)
        row.done = row.done or centre.store.clock.now()
    return done


def _hold(centre: "KeyCentre", actor: Actor, plan: Plan, pin: TypedPin | None) -> Done:
    if isinstance(plan, PreparePlan):
        if plan.vault is None or pin is None:
            return Done(plan.digest, *prepare(centre, actor, plan, None))
        with opened(centre.settings, centre.folder, plan.vault, pin, make=True) as vault:
            return Done(plan.digest, *prepare(centre, actor, plan, vault))
    if pin is None:
        raise VaultNeeded
    with opened(centre.settings, centre.folder, plan.vault, pin, make=False) as vault:
        return Done(plan.digest, *replace(centre, plan, vault))


def _begun(centre: "KeyCentre", plan: Plan) -> CeremonyRow | None:
    """This plan's own ceremony, if it was begun; raises KeyCeremonyUnfinished for another that was not ended."""
    open_ = sa.and_(CeremonyRow.done.is_(None), CeremonyRow.given_up_for.is_(None))
    query = sa.select(CeremonyRow).where(sa.or_(CeremonyRow.digest == plan.digest, open_))
    with centre.store.read() as session:
        rows = list(session.scalars(query))
        session.expunge_all()
    own = next((row for row in rows if row.digest == plan.digest), None)
    given_up = next((row for row in rows if row.digest == plan.instead_of), None)
    for row in rows:
        if row not in (own, given_up):
            raise KeyCeremonyUnfinished(digest=row.digest, kind=row.kind)
    if own is None and plan.instead_of and (given_up is None or given_up.kind != plan.kind):
        reason = Text("没有这样一个未完成的仪式", "no such ceremony is unfinished")
        raise KeyPlanRefused(field="instead_of", reason=reason)
    return own


def _intend(
    centre: "KeyCentre",
    actor: Actor,
    plan: Plan,
    begun: CeremonyRow | None,
    approved: Approved[Any] | None,
) -> None:
    subject = f"ceremony:{plan.digest}"
    if begun is not None:
        with centre.store.act(actor, VERB, subject, outcome=Outcome.INTENT, resumed=True):
            return
    facts: dict[str, Any] = {"kind": plan.kind, "title": plan.title}
    if isinstance(plan, ReplacePlan):
        facts["member"] = str(plan.member)
    with centre.store.act(actor, VERB, subject, outcome=Outcome.INTENT, **facts) as act:
        if plan.instead_of:
            act.session.get_one(CeremonyRow, plan.instead_of).given_up_for = plan.digest
            act.facts["instead_of"] = plan.instead_of
        act.session.add(
            CeremonyRow(
                digest=plan.digest,
                kind=plan.kind,
                plan=plan.model_dump(mode="json"),
                begun=centre.store.clock.now(),
                begun_by=actor.id,
                proposal=approved.proposal if approved else None,
                done=None,
            )
        )
