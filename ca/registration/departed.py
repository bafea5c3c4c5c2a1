"""Certificates of people who left their post: revoked when the grace is over, each by its own act."""

import logging
from datetime import timedelta

import sqlalchemy as sa

from authz.models import AppointmentRow, CertificateBinding, PostRow
from ca.context import Context
from ca.errors import AlreadyRevoked
from ca.models import CertificateRow
from ca.revoke import revoke
from yinxin.act import SYSTEM
from yinxin.errors import YinxinError

_log = logging.getLogger("yinxin.ca")

REASON = "affiliationChanged"


def departed(ctx: Context) -> tuple[str, ...]:
    """Serial numbers of certificates bound to a post that their holder left, or has not held, for the whole grace.

    Who left and came back meanwhile has certificates of her own again; the old ones are revoked all the same. So are
    those of posts that went over to another organ: they name the organ they were issued in.
    """
    now = ctx.store.clock.now()
    since = now - timedelta(days=ctx.settings.registration.departed_days)
    held = sa.select(AppointmentRow.person).where(
        AppointmentRow.person == CertificateBinding.person,
        AppointmentRow.post == CertificateBinding.post,
        sa.or_(AppointmentRow.valid_to.is_(None), AppointmentRow.valid_to > since),
    )
    elsewhere = sa.select(PostRow.id).where(
        PostRow.id == CertificateBinding.post,
        PostRow.organ != CertificateBinding.organ,
        PostRow.since <= since,
    )
    gone = sa.or_(~sa.exists(held), sa.exists(elsewhere))
    revoked = sa.select(CertificateRow.serial).where(
        CertificateRow.serial == CertificateBinding.serial, CertificateRow.revoked_at.is_not(None)
    )
    query = sa.select(CertificateBinding.serial).where(
        CertificateBinding.expires_at > now,
        ~sa.exists(revoked),
        sa.or_(
            sa.and_(CertificateBinding.ended_at.is_(None), gone),
            CertificateBinding.left_at <= since,
        ),
    )
    with ctx.store.read() as session:
        return tuple(session.scalars(query.order_by(CertificateBinding.serial)))


def revoke_departed(ctx: Context) -> int:
    """Revoke them; how many. For the timer: what fails is met again the next time."""
    done = 0
    for serial in departed(ctx):
        try:
            revoke(ctx, SYSTEM, serial, REASON, {"departed": True})
            done += 1
        except AlreadyRevoked:
            continue  # the other half of a pair went with it
        except YinxinError as error:
            _log.warning("certificate %s of somebody who left: %s", serial, error)
    return done
