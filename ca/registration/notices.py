"""Notices before the end: each certificate once for each horizon, on record; delivering them is for others to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from ca.context import Context
from ca.models import CertificateRow, State
from ca.registration.models import NoticeRow
from yinxin.act import SYSTEM

VERB = "ca.notify"
#: notices given in one transaction
TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """That a certificate ends within `days`."""

    serial: str
    holder_kind: str
    holder: str
    organ: str | None
    subject: str
    not_after: datetime
    days: int


class Delivery(Protocol):
    """Who takes notices to their readers. It joins the transaction that records them, so that none is lost or doubled."""

    def take(self, session: Session, notices: Sequence[Notice]) -> None:
        """Put the notices on their way, in the caller's transaction."""
        ...


def notify(ctx: Context, delivery: Delivery | None = None) -> int:
    """Give the notices that are due; how many. A certificate met late gets the notice of its nearest horizon only."""
    given = 0
    # the nearest first: what has its notice by now is passed over by the farther ones
    for days in sorted(ctx.settings.registration.notice_days):
        while notices := _due(ctx, days):
            with ctx.store.act(SYSTEM, VERB, f"horizon:{days}", certificates=len(notices)) as act:
                rows = [
                    {"serial": each.serial, "days": days, "given": ctx.store.clock.now()} for each in notices
                ]
                act.session.execute(sa.insert(NoticeRow), rows)
                for each in notices:
                    act.each(ctx.store.identifier(), f"certificate:{each.serial}", days=days)
                if delivery is not None:
                    delivery.take(act.session, notices)
            given += len(notices)
    return given


def expiring(ctx: Context, days: int) -> int:
    """How many certificates in force end within so many days."""
    now = ctx.store.clock.now()
    query = sa.select(sa.func.count()).select_from(CertificateRow)
    with ctx.store.read() as session:
        return session.scalar(query.where(*_ending(now, now + timedelta(days=days)))) or 0


def _due(ctx: Context, days: int) -> list[Notice]:
    row, now = CertificateRow, ctx.store.clock.now()
    noticed = sa.select(NoticeRow.serial).where(NoticeRow.serial == row.serial, NoticeRow.days <= days)
    successor = aliased(CertificateRow)
    renewed = sa.select(successor.serial).where(
        successor.reference == sa.literal("renewal/").concat(row.serial), successor.state == State.ISSUED
    )
    query = (
        sa.select(row.serial, row.holder_kind, row.holder, row.organ, row.subject, row.not_after)
        .where(*_ending(now, now + timedelta(days=days)), ~sa.exists(noticed), ~sa.exists(renewed))
        .order_by(row.not_after, row.serial)
        .limit(TOGETHER)
    )
    with ctx.store.read() as session:
        return [Notice(*found, days) for found in session.execute(query)]


def _ending(after: datetime, until: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    row = CertificateRow
    return row.state == State.ISSUED, row.revoked_at.is_(None), row.not_after > after, row.not_after <= until
