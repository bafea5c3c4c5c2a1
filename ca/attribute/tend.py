"""The timer's work: what is stated no longer is taken back, intents that were cut off are given up, lists are renewed."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.errors import CannotBind, UnknownPerson, UnknownPost
from ca.attribute.issue import Templates, abandon
from ca.attribute.lists import brought_up, in_force
from ca.attribute.models import AttributeCertificateRow, AttributeListRow
from ca.attribute.revoke import VERB as REVOKE
from ca.attribute.signatory import PROFILE
from ca.attribute.stated import stated, still_holds
from ca.context import TOGETHER, Context
from ca.models import CertificateRow, State
from yinxin.act import SYSTEM
from yinxin.crypto.attribute import AttributeCertificate
from yinxin.crypto.status import Reason
from yinxin.errors import YinxinError

_log = logging.getLogger("yinxin.ca")


def tend(ctx: Context, templates: Templates) -> int:
    """All of it; the number of attribute certificates taken back."""
    _reconcile(ctx)
    ended = _end(ctx, templates)
    _renew(ctx)
    return ended


def _reconcile(ctx: Context) -> None:
    oldest = ctx.store.clock.now() - timedelta(seconds=ctx.settings.intent_seconds)
    row = AttributeCertificateRow
    with ctx.store.read() as session:
        query = sa.select(row.serial).where(row.state == State.INTENT, row.created <= oldest)
        serials = session.scalars(query).all()
    for serial in serials:
        abandon(ctx, SYSTEM, serial)


def _end(ctx: Context, templates: Templates) -> int:
    """Revoke those whose holder left the post, lost a role, grant or clearance, or whose certificate was revoked."""
    row, after, ended = AttributeCertificateRow, "", 0
    while True:
        now = ctx.store.clock.now()
        watched = (
            sa.select(row)
            .where(row.revocable, row.revoked_at.is_(None), row.not_after >= now, row.state == State.ISSUED)
            .where(row.serial > after)
            .order_by(row.serial)
            .limit(TOGETHER)
        )
        with ctx.store.read() as session:
            page = session.scalars(watched).all()
            over = _over(ctx, session, templates, page)
        if over:
            ended += _take_back(ctx, over)
        if len(page) < TOGETHER:
            return ended
        after = page[-1].serial


def _over(
    ctx: Context, session: Session, templates: Templates, page: Sequence[AttributeCertificateRow]
) -> Mapping[str, Reason]:
    """Serial number → why it holds no more."""
    now = ctx.store.clock.now()
    certificate = CertificateRow
    revoked = set(
        session.scalars(
            sa.select(certificate.serial).where(
                certificate.serial.in_([each.certificate for each in page]),
                certificate.revoked_at.is_not(None),
            )
        )
    )
    found: dict[str, Reason] = {}
    for each in page:
        if each.certificate in revoked:
            found[each.serial] = Reason.CESSATION_OF_OPERATION
            continue
        try:
            on_record = stated(session, ctx.settings, templates, (each.person, each.post), now)
        except (CannotBind, UnknownPerson, UnknownPost):
            found[each.serial] = Reason.AFFILIATION_CHANGED
            continue
        if not still_holds(AttributeCertificate(each.der or b"").claims, on_record):
            found[each.serial] = Reason.PRIVILEGE_WITHDRAWN
    return found


def _take_back(ctx: Context, over: Mapping[str, Reason]) -> int:
    """Each by its own record, in one transaction; then the lists."""
    row, now = AttributeCertificateRow, ctx.store.clock.now().replace(microsecond=0)
    labels: set[str] = set()
    with ctx.store.act(SYSTEM, REVOKE, "attribute-certificates", count=len(over)) as act:
        for serial, reason in over.items():
            unrevoked = sa.update(row).where(row.serial == serial, row.revoked_at.is_(None))
            taken = unrevoked.values(revoked_at=now, reason=reason.value).returning(row.authority)
            if (label := act.session.scalar(taken)) is not None:
                labels.add(label)
                act.each(ctx.store.identifier(), f"attribute-certificate:{serial}", reason=reason.value)
    for label in labels:
        brought_up(ctx, label)
    _log.info("%d attribute certificates were taken back: what they state holds no more", len(over))
    return len(over)


def _renew(ctx: Context) -> None:
    """Lists of authorities in force that were given out before, or that something names."""
    now = ctx.store.clock.now()
    row = CertificateRow
    with ctx.store.read() as session:
        labels = session.scalars(
            sa.select(row.holder)
            .where(row.profile == PROFILE, row.state == State.ISSUED, row.revoked_at.is_(None))
            .where(row.not_after >= now)
            .distinct()
        ).all()
        made = set(session.scalars(sa.select(AttributeListRow.authority)))
        named = set(
            session.scalars(
                sa.select(AttributeCertificateRow.authority)
                .where(AttributeCertificateRow.revocable)
                .distinct()
            )
        )
    for label in labels:
        if label in made | named:
            try:
                in_force(ctx, label)
            except YinxinError:
                _log.exception("the revocation list of %s could not be renewed", label)
