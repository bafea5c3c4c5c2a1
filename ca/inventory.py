"""Finding certificates again: by serial number, fingerprint, holder, organ, profile, state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from authz.models import OrganClosure
from ca.context import Context
from ca.errors import UnknownCertificate
from ca.models import CertificateRow, State
from yinxin.clock import rfc3339
from yinxin.crypto.status import Reason

#: `suspended`, `revoked` and `expired` are issued certificates too; `issued` means in force
Standing = Literal["issued", "suspended", "revoked", "expired", "intent", "abandoned"]
HOLD = Reason.CERTIFICATE_HOLD.value


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; None is anything."""

    holder: str | None = None
    #: this organ and all below it
    organ: str | None = None
    profile: str | None = None
    authority: str | None = None
    state: Standing | None = None


def normal(name: str) -> str:
    """A serial number or fingerprint as the tables spell it: hexadecimal, lower case, no colons, no leading zeros.

    A fingerprint keeps its 64 digits.
    """
    text = name.strip().lower().removeprefix("0x").replace(":", "")
    return text if len(text) == 64 else text.lstrip("0")


def find(ctx: Context, name: str) -> CertificateRow:
    """The issuance of a serial number or SHA-256 fingerprint (hexadecimal); raises UnknownCertificate."""
    text = normal(name)
    column = CertificateRow.fingerprint if len(text) == 64 else CertificateRow.serial
    with ctx.store.read() as session:
        row = session.scalars(sa.select(CertificateRow).where(column == text)).one_or_none()
    if row is None:
        raise UnknownCertificate(certificate=name[:80])
    return row


def search(ctx: Context, wanted: Filter, *, after: str = "", limit: int = 100) -> Sequence[CertificateRow]:
    """At most `limit` issuances by serial number, from the one after `after`."""
    query = sa.select(CertificateRow).where(CertificateRow.serial > after)
    for column, value in (
        (CertificateRow.holder, wanted.holder),
        (CertificateRow.profile, wanted.profile),
        (CertificateRow.authority, wanted.authority),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.organ is not None:
        below = sa.select(OrganClosure.organ).where(OrganClosure.ancestor == wanted.organ)
        query = query.where(sa.or_(CertificateRow.organ == wanted.organ, CertificateRow.organ.in_(below)))
    if wanted.state is not None:
        query = query.where(_standing(wanted.state, ctx.store.clock.now()))
    with ctx.store.read() as session:
        return session.scalars(query.order_by(CertificateRow.serial).limit(limit)).all()


def standing(row: CertificateRow, now: datetime) -> Standing:
    """How an issuance stands now."""
    if row.state != State.ISSUED:
        return "intent" if row.state == State.INTENT else "abandoned"
    if row.revoked_at is not None:
        return "suspended" if row.reason == HOLD else "revoked"
    return "expired" if row.not_after < now else "issued"


def _standing(state: Standing, now: datetime) -> sa.ColumnElement[bool]:
    issued = CertificateRow.state == State.ISSUED
    unrevoked = CertificateRow.revoked_at.is_(None)
    held = sa.func.coalesce(CertificateRow.reason, "") == HOLD
    return {
        "intent": CertificateRow.state == State.INTENT,
        "abandoned": CertificateRow.state == State.ABANDONED,
        "suspended": sa.and_(issued, sa.not_(unrevoked), held),
        "revoked": sa.and_(issued, sa.not_(unrevoked), sa.not_(held)),
        "expired": sa.and_(issued, unrevoked, CertificateRow.not_after < now),
        "issued": sa.and_(issued, unrevoked, CertificateRow.not_after >= now),
    }[state]


def describe(row: CertificateRow, now: datetime) -> dict[str, str | None]:
    """An issuance as JSON, for commands and the interface; no octets."""
    return {
        "serial": row.serial,
        "authority": row.authority,
        "profile": row.profile,
        "profile_hash": row.profile_hash,
        "reference": row.reference,
        "state": standing(row, now),
        "subject": row.subject,
        "holder_kind": row.holder_kind,
        "holder": row.holder,
        "post": row.post,
        "organ": row.organ,
        "fingerprint": row.fingerprint,
        "not_before": rfc3339(row.not_before),
        "not_after": rfc3339(row.not_after),
        "requested_by": row.requested_by,
        "revoked_at": rfc3339(row.revoked_at) if row.revoked_at else None,
        "reason": row.reason,
    }
