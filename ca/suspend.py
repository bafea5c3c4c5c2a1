"""Suspension (certificateHold, RFC 5280 5.3.1) and its end: in effect at once, undone without a trace of trust between.

While it lasts the certificate is revoked to everybody: OCSP, the list, sign-in. What was done with it in that time
stays worthless after the hold is lifted, because nobody knows who did it; `ca_hold` keeps the period for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.bind import restore_binding, suspend_binding
from ca.context import Context
from ca.errors import NotInForce, NotSuspended, UnderARoot
from ca.inventory import HOLD, find, standing
from ca.models import CertificateRow, HoldRow, State
from ca.pair.models import pair_of
from ca.profile.versions import made_by
from ca.status import crl, publish
from ca.status.line import Line
from yinxin.act import Actor
from yinxin.errors import YinxinError
from yinxin.steps import step

SUSPEND = "ca.suspend"
RESUME = "ca.resume"


@dataclass(frozen=True)
class Hold:
    """A hold as it stands: `ended` is None while it lasts; `crl_number` is None when no new list could be signed yet."""

    serial: str
    began: datetime
    ended: datetime | None
    crl_number: int | None


def suspend(ctx: Context, actor: Actor, name: str, decision: Mapping[str, Any] | None = None) -> Hold:
    """Suspend the certificate of a serial number or fingerprint; for authorised callers.

    Raises UnknownCertificate, NotInForce, UnderARoot. As with a revocation, a missing security module does not stop it.
    """
    row = _found(ctx, actor, SUSPEND, name)
    at, others = ctx.store.clock.now(), list[Line]()
    # 1. certificate, hold, binding, sessions and record change together; the other half of a pair with them
    with ctx.store.act(actor, SUSPEND, f"certificate:{row.serial}") as act:
        act.decision = dict(decision) if decision else None
        publish.withdraw(ctx, row.authority, [row.serial])
        _hold(act.session, act.id, row.serial, at, actor)
        if (pair := pair_of(act.session, row.serial)) is not None:
            id_ = ctx.store.identifier()
            other = _hold(act.session, id_, pair.other(row.serial), at, actor)
            publish.withdraw(ctx, other.authority, [other.serial])
            others.append(Line(other.authority, other.shard))
            act.each(id_, f"certificate:{other.serial}", pair=row.serial)
    step("ca.suspend.1-recorded")
    # 2. the lists named are now known to be out of date; they are made anew here, or by whoever asks for them next
    return Hold(row.serial, at, None, crl.brought_up(ctx, Line(row.authority, row.shard), *others))


def resume(ctx: Context, actor: Actor, name: str, decision: Mapping[str, Any] | None = None) -> Hold:
    """Lift the hold of a serial number or fingerprint; for authorised callers.

    Sessions that the suspension ended stay ended. Raises UnknownCertificate, NotSuspended.
    """
    row = _found(ctx, actor, RESUME, name)
    at, others = ctx.store.clock.now(), list[Line]()
    with ctx.store.act(actor, RESUME, f"certificate:{row.serial}") as act:
        act.decision = dict(decision) if decision else None
        began = _lift(act.session, row.serial, at, actor)
        if (pair := pair_of(act.session, row.serial)) is not None:
            other = act.session.get_one(CertificateRow, pair.other(row.serial))
            _lift(act.session, other.serial, at, actor)
            others.append(Line(other.authority, other.shard))
            act.each(ctx.store.identifier(), f"certificate:{other.serial}", pair=row.serial)
    step("ca.resume.1-recorded")
    return Hold(row.serial, began, at, crl.brought_up(ctx, Line(row.authority, row.shard), *others))


def _hold(session: Session, id_: str, serial: str, at: datetime, actor: Actor) -> CertificateRow:
    in_force = sa.update(CertificateRow).where(
        CertificateRow.serial == serial,
        CertificateRow.state == State.ISSUED,
        CertificateRow.revoked_at.is_(None),
        CertificateRow.not_after >= at,
    )
    changed = session.execute(in_force.values(revoked_at=at, reason=HOLD))
    now = session.get_one(CertificateRow, serial, populate_existing=True)
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise NotInForce(serial=serial, state=standing(now, at))
    session.add(HoldRow(id=id_, serial=serial, began=at, by=actor.id))
    if now.holder_kind == "person" and now.fingerprint is not None:
        suspend_binding(session, now.fingerprint, at)
    return now


def _lift(session: Session, serial: str, at: datetime, actor: Actor) -> datetime:
    """Take a hold off; since when it lasted."""
    held = sa.update(CertificateRow).where(CertificateRow.serial == serial, CertificateRow.reason == HOLD)
    changed = session.execute(held.values(revoked_at=None, reason=None, released_at=at))
    now = session.get_one(CertificateRow, serial, populate_existing=True)
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise NotSuspended(serial=serial, state=standing(now, at))
    unended = sa.select(HoldRow).where(HoldRow.serial == serial, HoldRow.ended.is_(None))
    hold = session.scalars(unended).one()
    hold.ended, hold.ended_by = at, actor.id
    if now.holder_kind == "person" and now.fingerprint is not None:
        restore_binding(session, now.fingerprint)
    return hold.began


def _found(ctx: Context, actor: Actor, verb: str, name: str) -> CertificateRow:
    try:
        row = find(ctx, name)
        if made_by(ctx, row).ca:
            raise UnderARoot(serial=row.serial)
    except YinxinError as error:
        ctx.store.refuse(actor, verb, f"certificate:{name[:80]}", error)
        raise
    return row
