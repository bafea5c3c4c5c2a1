"""Taking back: once, at once; the list that follows says so from the same moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ca.attribute.errors import AttributeCertificateOver, NotRevocable
from ca.attribute.lists import brought_up
from ca.attribute.models import AttributeCertificateRow
from ca.context import Context
from ca.errors import BadReason
from ca.models import State
from ca.revoke import REASONS
from yinxin.act import Actor
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.steps import step

VERB = "ca.revoke-attribute-certificate"


@dataclass(frozen=True)
class AttributeRevocation:
    """A revocation in force; `crl_number` is None when the new list could not be signed yet."""

    serial: str
    revoked_at: datetime
    reason: str
    crl_number: int | None


def revoke(
    ctx: Context,
    actor: Actor,
    row: AttributeCertificateRow,
    reason: str,
    decision: Mapping[str, Any] | None = None,
) -> AttributeRevocation:
    """For authorised callers; raises BadReason, NotRevocable, AttributeCertificateOver."""
    now = ctx.store.clock.now().replace(microsecond=0)
    try:
        _revocable(row, reason, now)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"attribute-certificate:{row.serial}", error)
        raise
    table = AttributeCertificateRow
    # 1. from here on the list in force lacks something, and is made anew before it is given out
    with ctx.store.act(actor, VERB, f"attribute-certificate:{row.serial}", reason=reason) as act:
        act.decision = dict(decision) if decision else None
        unrevoked = sa.update(table).where(
            table.serial == row.serial, table.state == State.ISSUED, table.revoked_at.is_(None)
        )
        changed = act.session.execute(unrevoked.values(revoked_at=now, reason=reason))
        if changed.rowcount != 1:  # type: ignore[attr-defined]
            raise AttributeCertificateOver(serial=row.serial, at=rfc3339(now))
    step("ca.revoke-attribute-certificate.1-recorded")
    # 2. the list is made anew here, or by whoever asks for it next
    return AttributeRevocation(row.serial, now, reason, brought_up(ctx, row.authority))


def _revocable(row: AttributeCertificateRow, reason: str, now: datetime) -> None:
    if reason not in REASONS:
        raise BadReason(reason=reason[:40], known=", ".join(REASONS))
    over = min((each for each in (row.revoked_at, row.not_after) if each is not None), default=now)
    if row.revoked_at is not None or row.not_after < now:
        raise AttributeCertificateOver(serial=row.serial, at=rfc3339(over))
    if not row.revocable:
        raise NotRevocable(serial=row.serial, not_after=rfc3339(row.not_after), certificate=row.certificate)
