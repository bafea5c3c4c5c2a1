"""Revocation: once, at once, and visible in OCSP and on the list from the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.bind import end_binding
from ca.context import Context
from ca.errors import AlreadyRevoked, BadReason, UnderARoot
from ca.inventory import HOLD, find
from ca.keycheck import block
from ca.models import CertificateRow, HoldRow, State
from ca.pair.models import pair_of
from ca.profile.versions import made_by
from ca.status import crl, publish
from ca.status.line import Line
from kms.escrow import Why
from yinxin.act import Actor
from yinxin.clock import rfc3339
from yinxin.crypto.status import Reason
from yinxin.errors import YinxinError
from yinxin.steps import step

VERB = "ca.revoke"
#: what an officer may give; a hold is `ca.suspend`, and an authority's reasons take a ceremony
REASONS = (
    Reason.UNSPECIFIED,
    Reason.KEY_COMPROMISE,
    Reason.AFFILIATION_CHANGED,
    Reason.SUPERSEDED,
    Reason.CESSATION_OF_OPERATION,
    Reason.PRIVILEGE_WITHDRAWN,
)


@dataclass(frozen=True)
class Revocation:
    """A revocation in force; `crl_number` is None when the new list could not be signed yet."""

    serial: str
    revoked_at: datetime
    reason: str
    crl_number: int | None


def revoke(
    ctx: Context, actor: Actor, name: str, reason: str, decision: Mapping[str, Any] | None = None
) -> Revocation:
    """Revoke the certificate of a serial number or fingerprint, issued or still an intent; for authorised callers.

    A suspended one stays revoked from the beginning of its hold. The other half of a pair is revoked with it.

    Raises UnknownCertificate, BadReason, AlreadyRevoked, UnderARoot. A missing security module does not stop it:
    OCSP and list say nothing at all until they can say that it is revoked.
    """
    try:
        row = _revocable(ctx, name, reason)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"certificate:{name[:80]}", error)
        raise
    at, others = ctx.store.clock.now(), list[Line]()
    # 1. state, binding and record change together; from here on OCSP answers “revoked”
    with ctx.store.act(actor, VERB, f"certificate:{row.serial}", reason=reason) as act:
        act.decision = dict(decision) if decision else None
        publish.withdraw(ctx, row.authority, [row.serial])
        since = change(act.session, row, at, reason, actor)
        # a pair ends together, and its key encrypts no more
        if (pair := pair_of(act.session, row.serial)) is not None:
            other = act.session.get_one(CertificateRow, pair.other(row.serial))
            if other.revoked_at is None or other.reason == HOLD:
                publish.withdraw(ctx, other.authority, [other.serial])
                others.append(Line(other.authority, other.shard))
                change(act.session, other, at, reason, actor)
                act.each(
                    ctx.store.identifier(), f"certificate:{other.serial}", reason=reason, pair=row.serial
                )
            ctx.escrow.to_history(act.session, pair.user_key, Why.REVOKED)
    step("ca.revoke.1-recorded")
    # 2. the lists named are now known to be out of date; they are made anew here, or by whoever asks for them next
    number = crl.brought_up(ctx, Line(row.authority, row.shard), *others)
    return Revocation(row.serial, since, reason, number)


def _revocable(ctx: Context, name: str, reason: str) -> CertificateRow:
    if reason not in REASONS:
        raise BadReason(reason=reason[:40], known=", ".join(REASONS))
    row = find(ctx, name)
    if made_by(ctx, row).ca:
        raise UnderARoot(serial=row.serial)
    return row


def change(session: Session, row: CertificateRow, at: datetime, reason: str, actor: Actor) -> datetime:
    """The change itself, for authorised callers inside their act; since when it is revoked. Raises AlreadyRevoked."""
    held = CertificateRow.reason == HOLD
    unrevoked = sa.update(CertificateRow).where(
        CertificateRow.serial == row.serial, sa.or_(CertificateRow.revoked_at.is_(None), held)
    )
    # an intent can be revoked too; its issuance then finds it gone and hands nothing out
    state = sa.case((CertificateRow.state == State.INTENT, State.ABANDONED.value), else_=CertificateRow.state)
    since = sa.func.coalesce(CertificateRow.revoked_at, at)
    changed = session.execute(unrevoked.values(revoked_at=since, reason=reason, state=state))
    now = session.get_one(CertificateRow, row.serial, populate_existing=True)
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        told = rfc3339(now.revoked_at) if now.revoked_at else "-"
        raise AlreadyRevoked(serial=now.serial, revoked_at=told, reason=now.reason or "-")
    if reason in (Reason.KEY_COMPROMISE, Reason.CA_COMPROMISE):
        block(session, now.spki_digest, reason, at=at, by=actor.id)
    open_hold = sa.update(HoldRow).where(HoldRow.serial == row.serial, HoldRow.ended.is_(None))
    session.execute(open_hold.values(ended=at, ended_by=actor.id))
    if now.holder_kind == "person" and now.fingerprint is not None:
        end_binding(session, now.fingerprint, at)
    return now.revoked_at or at
