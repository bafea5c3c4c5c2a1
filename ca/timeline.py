"""What became of one certificate, in order: applied for, vetted, approved, intended, suspended, renewed, revoked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.context import Context
from ca.inventory import HOLD
from ca.models import CertificateRow, HoldRow, State
from ca.registration.models import NoticeRow, RegistrationRow
from ca.registration.renew import RENEWAL, reference_of
from ca.words import REASONS
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened: when, what, by whom, for what reason, and which other certificate or application tells more."""

    at: datetime
    text: Text
    by: str = ""
    reason: Text | None = None
    certificate: str = ""
    application: str = ""


def timeline(ctx: Context, row: CertificateRow) -> tuple[Moment, ...]:
    """The moments of a certificate's life, the first first; for whoever may see the certificate."""
    with ctx.store.read() as session:
        found = [*_asked(session, row), *_made(session, row), *_held(session, row), *_ended(session, row)]
    return tuple(sorted(found, key=lambda moment: moment.at))


def _asked(session: Session, row: CertificateRow) -> Iterator[Moment]:
    asked = session.scalars(sa.select(RegistrationRow).where(RegistrationRow.serial == row.serial)).first()
    if asked is None:
        return
    yield Moment(asked.submitted, Text("提交申请", "applied for"), asked.applicant, application=asked.id)
    if asked.vetted_at is not None:
        yield Moment(asked.vetted_at, Text("核验", "vetted"), asked.vetted_by or "")
    if asked.decided_at is not None:
        yield Moment(asked.decided_at, Text("批准", "approved"), asked.decided_by or "")


def _made(session: Session, row: CertificateRow) -> Iterator[Moment]:
    word = {
        State.INTENT: Text("登记签发意向", "issuance begun"),
        State.ISSUED: Text("签发", "issued"),
        State.ABANDONED: Text("放弃签发", "issuance given up"),
    }
    begin, _, serial = row.reference.partition("/")
    old = session.get(CertificateRow, serial) if begin == RENEWAL else None
    before = "" if old is None else old.serial
    yield Moment(row.created, word[State(row.state)], row.requested_by)
    if before:
        yield Moment(row.created, Text("换发自旧证书", "it replaces an older one"), certificate=before)
    yield Moment(row.not_after, Text("有效期截止", "ends"))


def _held(session: Session, row: CertificateRow) -> Iterator[Moment]:
    for hold in session.scalars(sa.select(HoldRow).where(HoldRow.serial == row.serial)):
        yield Moment(hold.began, Text("暂停", "suspended"), hold.by)
        if hold.ended is not None:
            yield Moment(hold.ended, Text("暂停结束", "suspension ended"), hold.ended_by or "")


def _ended(session: Session, row: CertificateRow) -> Iterator[Moment]:
    if row.revoked_at is not None and row.reason != HOLD:
        reason = REASONS.get(row.reason or "")
        yield Moment(row.revoked_at, Text("撤销生效", "revoked"), reason=reason)
    for notice in session.scalars(sa.select(NoticeRow).where(NoticeRow.serial == row.serial)):
        text = Text(f"到期前 {notice.days} 天通知", f"announced {notice.days} days before its end")
        yield Moment(notice.given, text)
    successor = sa.select(CertificateRow.created, CertificateRow.serial).where(
        CertificateRow.reference == reference_of(row.serial), CertificateRow.state == State.ISSUED
    )
    for created, serial in session.execute(successor):
        yield Moment(created, Text("换发了新证书", "renewed"), certificate=serial)
