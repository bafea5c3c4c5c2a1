"""The ceremony itself: from a reviewed and approved plan to what it makes.

Every step looks first whether it has been done, so that a ceremony that was cut off, at whatever point, is finished
by starting it again with the same plan; another plan is not begun before.
"""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ca.ceremony.errors import CeremonyHeld, CeremonyUnderWay, CeremonyUnfinished, PlanRefused, ProposalNeeded
from ca.ceremony.found import adds_to_a_site
from ca.ceremony.hold import hold
from ca.ceremony.kinds import Plan
from ca.ceremony.plan import CeremonyPlan
from ca.ceremony.rehearse import rehearse
from ca.ceremony.table import Table
from ca.context import Context
from ca.hierarchy.models import CeremonyRow
from ca.models import CertificateRow, State
from kms.service import KeyCentre
from yinxin.act import Actor, Outcome
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.errors import YinxinError
from yinxin.proposal import Approved
from yinxin.steps import step
from yinxin.text import Text

VERB = "ca.ceremony"


@dataclass(frozen=True)
class Done:
    """What the ceremony gave: certificates by label, files by name, and who approved it as the record has them."""

    plan_digest: str
    certificates: dict[str, Certificate]
    files: dict[str, Path]
    approvals: tuple[Mapping[str, str], ...] = ()

    @property
    def trust(self) -> dict[str, Path]:
        """The files that verifiers are given."""
        return {name: path for name, path in self.files.items() if path.parent.name == "trust"}


def conduct(
    ctx: Context,
    keys: KeyCentre,
    actor: Actor,
    plan: Plan,
    folder: Path,
    *,
    beside: Path | None = None,
    approved: Approved[Any] | None = None,
) -> Done:
    """Carry the plan out; `folder` is the data directory, `beside` the plan's own. Safe to repeat after any crash.

    `approved` is the proposal by which it is held; only the founding needs none, for nobody holds a certificate yet.
    Raises CeremonyUnderWay, CeremonyUnfinished, CeremonyDiffers, ProposalNeeded, and whatever is wrong with the plan,
    before anything is made.
    """
    subject = f"ceremony:{plan.digest}"
    try:
        with _alone(folder):
            return _conduct(Table(ctx, keys, actor, folder, beside or folder, plan.digest), plan, approved)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, subject, error)
        raise


def _conduct(table: Table, plan: Plan, approved: Approved[Any] | None) -> Done:
    ctx, subject = table.ctx, f"ceremony:{plan.digest}"
    begun = _begun(ctx, plan)
    if begun is not None and begun.done is not None and not isinstance(plan, CeremonyPlan):
        return Done(plan.digest, _made(table), {})
    # 1. the whole plan once with keys nobody keeps
    rehearse(ctx, table.keys, plan, folder=table.folder, beside=table.beside)
    # 2. approvals, intent
    given: tuple[Mapping[str, str], ...] = ()
    if begun is None:
        given = _approvals(ctx, plan, approved)
        _intend(table, plan, given, approved.proposal if approved and given else None)
    else:
        with ctx.store.act(table.actor, VERB, subject, outcome=Outcome.INTENT, resumed=True):
            pass
    step("ca.ceremony.2-intended")
    # 3. to 5. what this kind of ceremony makes, changes and leaves
    hold(table, plan)
    step("ca.ceremony.5-files")
    # 6. done
    with ctx.store.act(table.actor, VERB, subject, kind=plan.kind) as act:
        act.facts["certificates"] = {label: f"{each.serial:x}" for label, each in table.made.items()}
        row = act.session.get_one(CeremonyRow, plan.digest)
        row.done = row.done or ctx.store.clock.now()
    return Done(plan.digest, table.made, table.files, given)


def demand_unheld(ctx: Context, plan: Plan) -> None:
    """Raises CeremonyHeld for a plan that is done: `conduct` would make nothing, and look as if it had.

    A sample that is used every year, such as the renewal of an OCSP responder, is the same plan until something in it is changed.
    A founding is gone through again, step by step.
    """
    if isinstance(plan, CeremonyPlan):
        return
    with ctx.store.read() as session:
        row = session.get(CeremonyRow, plan.digest)
        if row is not None and row.done is not None and row.given_up_for is None:
            raise CeremonyHeld(digest=plan.digest, at=rfc3339(row.done))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One ceremony at a time; the lock dies with its process."""
    lock = folder / "ceremony.lock"
    folder.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CeremonyUnderWay(lock=str(lock)) from None
        yield


def _begun(ctx: Context, plan: Plan) -> CeremonyRow | None:
    """This plan's own ceremony, if it was begun; raises CeremonyUnfinished for another that was not ended."""
    given_up = "" if isinstance(plan, CeremonyPlan) else plan.instead_of
    with ctx.store.read() as session:
        rows = session.scalars(
            sa.select(CeremonyRow).where(
                sa.or_(CeremonyRow.digest == plan.digest, CeremonyRow.done.is_(None))
            )
        ).all()
    for row in rows:
        if row.digest not in (plan.digest, given_up):
            raise CeremonyUnfinished(digest=row.digest, kind=row.kind)
    own = next((row for row in rows if row.digest == plan.digest), None)
    if own is None and given_up and not any(row.digest == given_up for row in rows):
        reason = Text("没有这样一个未完成的仪式", "no such ceremony is unfinished")
        raise PlanRefused(field="instead_of", reason=reason)
    if own is not None and own.given_up_for is not None:
        raise CeremonyUnfinished(digest=own.given_up_for, kind=own.kind)
    return own


def _approvals(ctx: Context, plan: Plan, approved: Approved[Any] | None) -> tuple[Mapping[str, str], ...]:
    """None for the founding; otherwise those of the proposal, whoever asks. Raises ProposalNeeded.

    Whether they hold, `authz.proposal` has judged; that they are enough is looked at once more.
    """
    if isinstance(plan, CeremonyPlan) and not adds_to_a_site(ctx, plan):
        return ()
    needed = ctx.settings.ceremony.approvals
    given = () if approved is None else approved.approvals
    if len({each["person"] for each in given}) < needed:
        raise ProposalNeeded(needed=needed, given=len(given))
    return given


def _intend(table: Table, plan: Plan, given: Sequence[Mapping[str, str]], proposal: str | None) -> None:
    """The intent, with the plan and who approved it; what it gives up is given up in the same transaction."""
    ctx, told = table.ctx, [dict(each) for each in given]
    with ctx.store.act(table.actor, VERB, f"ceremony:{plan.digest}", outcome=Outcome.INTENT) as act:
        act.facts |= {"kind": plan.kind, "approvals": told}
        act.facts |= {"proposal": proposal} if proposal else {}
        now = ctx.store.clock.now()
        if not isinstance(plan, CeremonyPlan) and plan.instead_of:
            left = act.session.get_one(CeremonyRow, plan.instead_of)
            left.done, left.given_up_for = now, plan.digest
            act.facts["given_up"] = plan.instead_of
        act.session.add(
            CeremonyRow(
                digest=plan.digest,
                kind=plan.kind,
                plan=plan.model_dump(mode="json"),
                begun=now,
                begun_by=table.actor.id,
                approvals=told,
                proposal=proposal,
                done=None,
                given_up_for=None,
            )
        )


def _made(table: Table) -> dict[str, Certificate]:
    """What a ceremony that is done has issued."""
    prefix = table.reference("")
    query = sa.select(CertificateRow).where(
        CertificateRow.reference.startswith(prefix, autoescape=True), CertificateRow.state == State.ISSUED
    )
    with table.ctx.store.read() as session:
        rows = session.scalars(query.order_by(CertificateRow.created)).all()
    return {row.reference.removeprefix(prefix): Certificate(row.der) for row in rows if row.der is not None}
