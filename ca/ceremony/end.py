"""The end of an authority, or of what ties it to another: retirement, and revocation of an authority's certificate."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.ceremony.errors import CeremonyDiffers, PlanRefused
from ca.ceremony.kinds import RetirePlan, RevokePlan
from ca.ceremony.table import Table
from ca.errors import BadReason, UnknownAuthority, UnknownCertificate
from ca.hierarchy.models import TakenCertificate, Use
from ca.models import AuthorityRow, CertificateRow
from ca.profile.versions import made_by
from ca.revoke import REASONS, change
from yinxin.clock import rfc3339
from yinxin.crypto.status import Reason
from yinxin.text import Text

#: an authority's certificate can be revoked for one reason more
AUTHORITY_REASONS = (*REASONS, Reason.CA_COMPROMISE)


def retire(table: Table, plan: RetirePlan) -> None:
    """From the stated time the authority issues nothing; status goes on."""
    with table.ctx.store.read() as session:
        row = session.get(AuthorityRow, plan.authority)
    if row is None or (row.serial is None and row.adopted is None):
        raise UnknownAuthority(name=plan.authority[:60])
    _same_time(row, plan.at)

    def enter(session: Session) -> None:
        row = session.get_one(AuthorityRow, plan.authority, populate_existing=True)
        _same_time(row, plan.at)
        row.retired_at = plan.at

    table.change("ca.retire", f"authority:{plan.authority}", enter, at=rfc3339(plan.at))


def _same_time(row: AuthorityRow, at: datetime) -> None:
    if row.retired_at not in (None, at):
        raise CeremonyDiffers(what=f"{row.name}.retired_at")


def revoke(table: Table, plan: RevokePlan) -> None:
    """A certificate we issued goes on the list of its issuer; one that was taken in counts no more."""
    if plan.reason not in AUTHORITY_REASONS:
        raise BadReason(reason=plan.reason[:40], known=", ".join(AUTHORITY_REASONS))
    with table.ctx.store.read() as session:
        row = session.scalars(
            sa.select(CertificateRow).where(CertificateRow.fingerprint == plan.certificate)
        ).one_or_none()
        taken = session.scalars(
            sa.select(TakenCertificate).where(
                TakenCertificate.fingerprint == plan.certificate, TakenCertificate.use == Use.OWN
            )
        ).one_or_none()
    if row is not None:
        _issued(table, plan, row)
    elif taken is not None:
        _taken(table, plan, taken)
    else:
        raise UnknownCertificate(certificate=plan.certificate)


def _issued(table: Table, plan: RevokePlan, row: CertificateRow) -> None:
    if not made_by(table.ctx, row).ca:
        reason = Text(
            "它不是签发机构的证书：用 yinxin ca revoke", "it is no authority's: use yinxin ca revoke"
        )
        raise PlanRefused(field="certificate", reason=reason)
    if row.revoked_at is None:

        def enter(session: Session) -> None:
            change(session, row, table.ctx.store.clock.now(), plan.reason, table.actor)

        table.change("ca.revoke", f"certificate:{row.serial}", enter, reason=plan.reason)
    elif row.reason != plan.reason:
        raise CeremonyDiffers(what=f"certificate:{row.serial}")
    table.list_of(row.authority)


def _taken(table: Table, plan: RevokePlan, taken: TakenCertificate) -> None:
    def enter(session: Session) -> None:
        row = session.get_one(TakenCertificate, (taken.authority, taken.fingerprint), populate_existing=True)
        row.ended_at = row.ended_at or table.ctx.store.clock.now()

    table.change("ca.revoke", f"certificate:{plan.certificate}", enter, reason=plan.reason)
