"""The hierarchy as a table: every generation of every authority, how it stands, and what certificates it has."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.context import Context
from ca.errors import UnknownAuthority
from ca.hierarchy.models import TakenCertificate
from ca.models import AuthorityRow, CertificateRow, State
from kms.service import KeyCentre
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError

#: waiting for its certificate, not yet in its time, signing, followed by a newer generation, only telling status,
#: its own certificate revoked, its own certificate expired
Standing = Literal["waiting", "coming", "issuing", "superseded", "retired", "revoked", "ended"]


def tree(ctx: Context, keys: KeyCentre) -> list[dict[str, Any]]:
    """Every generation, each below the one above it and older before newer, with its depth in the tree."""
    with ctx.store.read() as session:
        rows = list(session.scalars(sa.select(AuthorityRow).order_by(AuthorityRow.created)))
        facts = {row.name: _facts(ctx, keys, session, row, rows) for row in rows}
    return [facts[row.name] | {"depth": depth} for row, depth in _ordered(rows)]


def one(ctx: Context, keys: KeyCentre, name: str) -> dict[str, Any]:
    """One generation with all its certificates; raises UnknownAuthority."""
    with ctx.store.read() as session:
        row = session.get(AuthorityRow, name)
        if row is None:
            raise UnknownAuthority(name=name[:60])
        rows = list(session.scalars(sa.select(AuthorityRow).where(AuthorityRow.line == row.line)))
        facts = _facts(ctx, keys, session, row, rows)
        return facts | {"certificates": [*_issued(session, row), *_taken(session, row)]}


def _ordered(rows: list[AuthorityRow]) -> Iterable[tuple[AuthorityRow, int]]:
    def below(parent: str | None, depth: int) -> Iterable[tuple[AuthorityRow, int]]:
        for row in sorted(rows, key=lambda row: (row.suite, row.line, row.generation)):
            if row.parent == parent:
                yield row, depth
                yield from below(row.name, depth + 1)

    return below(None, 0)


def _facts(
    ctx: Context, keys: KeyCentre, session: Session, row: AuthorityRow, rows: list[AuthorityRow]
) -> dict[str, Any]:
    own = _own(session, row)
    return {
        "name": row.name,
        "line": row.line,
        "generation": row.generation,
        "suite": row.suite,
        "parent": row.parent,
        "state": _standing(session, row, own, rows, ctx.store.clock.now()),
        "subject": Name(row.subject).text,
        "key": row.key_label,
        "key_place": _place(keys, row.key_label),
        "active_from": rfc3339(row.active_from) if row.active_from else None,
        "retired_at": rfc3339(row.retired_at) if row.retired_at else None,
        "serial": f"{own.serial:x}" if own else None,
        "fingerprint": own.fingerprint if own else None,
        "issuer": own.issuer.text if own else None,
        "not_before": rfc3339(own.not_before) if own else None,
        "not_after": rfc3339(own.not_after) if own else None,
    }


def _own(session: Session, row: AuthorityRow) -> Certificate | None:
    if row.serial is not None:
        issued = session.get_one(CertificateRow, row.serial).der
        return Certificate(issued) if issued else None
    taken = session.get(TakenCertificate, (row.name, row.adopted)) if row.adopted else None
    return Certificate(taken.der) if taken else None


def _standing(
    session: Session, row: AuthorityRow, own: Certificate | None, rows: list[AuthorityRow], now: datetime
) -> Standing:
    if own is None:
        return "waiting"
    if _revoked_at(session, row) is not None:
        return "revoked"
    if own.not_after < now:
        return "ended"
    if row.retired_at is not None and row.retired_at <= now:
        return "retired"
    if row.active_from is not None and row.active_from > now:
        return "coming"
    newer = [each for each in rows if each.line == row.line and each.generation > row.generation]
    started = [each for each in newer if each.active_from is None or each.active_from <= now]
    return "superseded" if any(each.serial or each.adopted for each in started) else "issuing"


def _revoked_at(session: Session, row: AuthorityRow) -> datetime | None:
    if row.serial is not None:
        return session.get_one(CertificateRow, row.serial).revoked_at
    taken = session.get(TakenCertificate, (row.name, row.adopted)) if row.adopted else None
    return taken.ended_at if taken else None


def _place(keys: KeyCentre, label: str) -> str | None:
    try:
        return keys.key(label).place.value
    except YinxinError:
        return None


def _issued(session: Session, row: AuthorityRow) -> Iterable[dict[str, Any]]:
    """What we issued for this key, and the certificates for other authorities that this one signed."""
    key = INTL.hash.digest(row.spki).hex()
    query = sa.select(CertificateRow).where(
        CertificateRow.state == State.ISSUED,
        sa.or_(
            CertificateRow.spki_digest == key,
            sa.and_(CertificateRow.authority == row.name, CertificateRow.profile.in_(("link", "cross"))),
        ),
    )
    for each in session.scalars(query.order_by(CertificateRow.created)):
        yield {
            "use": each.profile,
            "subject": each.subject,
            "issuer": each.authority,
            "serial": each.serial,
            "fingerprint": each.fingerprint,
            "not_after": rfc3339(each.not_after),
            "revoked_at": rfc3339(each.revoked_at) if each.revoked_at else None,
        }


def _taken(session: Session, row: AuthorityRow) -> Iterable[dict[str, Any]]:
    query = sa.select(TakenCertificate).where(TakenCertificate.authority == row.name)
    for each in session.scalars(query.order_by(TakenCertificate.created)):
        certificate = Certificate(each.der)
        yield {
            "use": f"taken-{each.use}",
            "subject": certificate.subject.text,
            "issuer": certificate.issuer.text,
            "serial": f"{certificate.serial:x}",
            "fingerprint": each.fingerprint,
            "not_after": rfc3339(each.not_after),
            "revoked_at": rfc3339(each.ended_at) if each.ended_at else None,
        }
