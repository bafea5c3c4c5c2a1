"""Revocation lists: whole, per authority, numbered without a gap, checked before they replace the one in force.

A list knows how many revocations it holds, and how many holds had ended when it was made. Whoever asks for the list
while the record says otherwise causes a new one, so that a crash between a revocation and its list cannot hide it.
"""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ca.context import Context
from ca.errors import CrlNotNewer, StatusUnavailable
from ca.issuer import Issuer
from ca.models import CertificateRow, CrlRow, HoldRow
from yinxin.act import SYSTEM
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList, Reason, Revoked, build_crl
from yinxin.crypto.suite import INTL
from yinxin.errors import Unavailable, YinxinError
from yinxin.steps import step
from yinxin.text import Text

VERB = "ca.crl"
#: attempts while other processes make lists at the same time
TRIES = 4


def current(ctx: Context, name: str) -> CertificateList:
    """The list in force of an authority, made anew when a revocation is missing or half its time is over.

    Raises UnknownAuthority; and what the security module raises, unless the list in force is complete.
    """
    issuer = ctx.issuers.get(name)
    with ctx.store.read() as session:
        row = _latest(session, name)
        complete = row is not None and (row.entries, row.holds_ended) == _counts(session, name)
    now = ctx.store.clock.now()
    if row is not None and complete and now < row.this_update + (row.next_update - row.this_update) / 2:
        return CertificateList(row.der)
    try:
        return renew(ctx, issuer)
    except Unavailable:
        if row is not None and complete and now < row.next_update:
            return CertificateList(row.der)
        raise


def renew_all(ctx: Context) -> None:
    """Make the lists that are due; for the timer."""
    now = ctx.store.clock.now()
    for name in ctx.issuers.names():
        # no certificate outlives its issuer: after an authority's end there is no status left to tell
        if (until := ctx.issuers.get(name).not_after) is not None and now <= until:
            current(ctx, name)


def renew(ctx: Context, issuer: Issuer) -> CertificateList:
    """A new list of `issuer`; raises CrlNotNewer, StatusUnavailable, and what the security module raises."""
    for _ in range(TRIES):
        # 1. number and revocations in one view: a list is never older than the one before
        with ctx.store.read() as session:
            row = _latest(session, issuer.name)
            number = row.number + 1 if row else 1
            revoked = _revoked(session, issuer.name)
            _, holds_ended = _counts(session, issuer.name)
        # 2. signed, read back, checked
        made = _make(ctx, issuer, number, revoked)
        _check(issuer, made, number, revoked)
        step("ca.crl.2-signed")
        # 3. in force, unless another process was first
        try:
            with ctx.store.act(SYSTEM, VERB, f"crl:{issuer.name}:{number}") as act:
                act.facts |= {"entries": len(revoked), "digest": INTL.hash.digest(made.der).hex()}
                act.session.add(_row(issuer, made, len(revoked), holds_ended))
        except IntegrityError:
            continue
        step("ca.crl.3-stored")
        return made
    raise StatusUnavailable(authority=issuer.name, reason=Text("撤销列表", "revocation list"))


def _make(
    ctx: Context, issuer: Issuer, number: int, revoked: Sequence[tuple[int, Revoked]]
) -> CertificateList:
    this_update = ctx.store.clock.now().replace(microsecond=0)
    encoded = build_crl(
        signer=issuer.signer(),
        issuer=_own(issuer),
        number=number,
        this_update=this_update,
        next_update=this_update + timedelta(hours=ctx.settings.crl_hours),
        revoked=revoked,
    )
    return CertificateList(encoded)


def _check(
    issuer: Issuer, made: CertificateList, number: int, revoked: Sequence[tuple[int, Revoked]]
) -> None:
    try:
        made.verify(_own(issuer))
        missing = [serial for serial, _ in revoked if made.lookup(serial) is None]
    except YinxinError as error:
        raise CrlNotNewer(authority=issuer.name, reason=error.code) from error
    if made.number != number or missing or len(made) != len(revoked):
        raise CrlNotNewer(
            authority=issuer.name, reason=Text("编号或条目不符", "its number or entries differ")
        )


def _row(issuer: Issuer, made: CertificateList, entries: int, holds_ended: int) -> CrlRow:
    return CrlRow(
        authority=issuer.name,
        number=made.number,
        this_update=made.this_update,
        next_update=made.next_update,
        entries=entries,
        holds_ended=holds_ended,
        der=made.der,
    )


def _own(issuer: Issuer) -> Certificate:
    if issuer.certificate is None:
        raise StatusUnavailable(authority=issuer.name, reason=Text("尚无证书", "it has no certificate yet"))
    return issuer.certificate


def _latest(session: Session, name: str) -> CrlRow | None:
    newest = sa.select(CrlRow).where(CrlRow.authority == name).order_by(CrlRow.number.desc()).limit(1)
    return session.scalars(newest).first()


def _counts(session: Session, name: str) -> tuple[int, int]:
    """Certificates revoked or suspended, and holds that ended: together they never take the same values twice."""
    revoked = sa.select(sa.func.count()).select_from(CertificateRow).where(*_is_revoked(name))
    ended = (
        sa.select(sa.func.count())
        .select_from(HoldRow)
        .join(CertificateRow)
        .where(HoldRow.ended.is_not(None), CertificateRow.authority == name)
    )
    return session.scalar(revoked) or 0, session.scalar(ended) or 0


def _revoked(session: Session, name: str) -> list[tuple[int, Revoked]]:
    query = sa.select(CertificateRow.serial, CertificateRow.revoked_at, CertificateRow.reason)
    rows = session.execute(query.where(*_is_revoked(name)).order_by(CertificateRow.revoked_at))
    return [
        (int(serial, 16), Revoked(at.replace(microsecond=0), Reason(reason or Reason.UNSPECIFIED)))
        for serial, at, reason in rows
        if at is not None
    ]


def _is_revoked(name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return CertificateRow.authority == name, CertificateRow.revoked_at.is_not(None)
