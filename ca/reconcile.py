"""Intents that no certificate followed: given up, and revoked, since their octets may have been signed."""

import logging
from datetime import timedelta

import sqlalchemy as sa

from ca.context import Context
from ca.models import CertificateRow, State
from yinxin.act import SYSTEM, Actor

_log = logging.getLogger("yinxin.ca")

VERB = "ca.abandon"
#: RFC 5280 5.3.1 wants no reason on the list when there is none to tell
REASON = "unspecified"


def abandon(ctx: Context, actor: Actor, serial: str) -> bool:
    """Give an intent up and revoke its serial number; False when it is no intent any more."""
    with ctx.store.read() as session:
        row = session.get(CertificateRow, serial)
        if row is None or row.state != State.INTENT:
            return False
    with ctx.store.act(actor, VERB, f"certificate:{serial}") as act:
        intent = sa.update(CertificateRow).where(
            CertificateRow.serial == serial, CertificateRow.state == State.INTENT
        )
        values = {"state": State.ABANDONED, "revoked_at": ctx.store.clock.now(), "reason": REASON}
        changed = act.session.execute(intent.values(values)).rowcount  # type: ignore[attr-defined]
        act.facts["changed"] = changed
    return bool(changed)


def reconcile(ctx: Context) -> int:
    """Abandon every intent older than `intent_seconds`; the number abandoned. At start and from time to time."""
    oldest = ctx.store.clock.now() - timedelta(seconds=ctx.settings.intent_seconds)
    stale = sa.select(CertificateRow.serial).where(
        CertificateRow.state == State.INTENT, CertificateRow.created <= oldest
    )
    with ctx.store.read() as session:
        serials = session.scalars(stale).all()
    given_up = sum(abandon(ctx, SYSTEM, serial) for serial in serials)
    if given_up:
        _log.warning("%d issuances were cut off; their serial numbers are revoked", given_up)
    return given_up


def abandon_reference(ctx: Context, actor: Actor, reference: str) -> None:
    """Abandon the intent of a reference whose only worker is known to be gone, however young it is."""
    query = sa.select(CertificateRow.serial).where(
        CertificateRow.reference == reference, CertificateRow.state == State.INTENT
    )
    with ctx.store.read() as session:
        serials = session.scalars(query).all()
    for serial in serials:
        abandon(ctx, actor, serial)
