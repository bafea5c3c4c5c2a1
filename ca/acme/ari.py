"""Renewal information (RFC 9773): when a certificate should be replaced, and that it is replaced once."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.acme.errors import Malformed, NoResource, Replaced
from ca.acme.models import AccountRow, OrderRow, OrderState, RenewalRow
from ca.acme.parts import Answer, Parts
from ca.inventory import HOLD
from ca.models import CertificateRow, State
from yinxin.clock import rfc3339
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedJose
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.jose import decode64, encode64
from yinxin.text import Text

MARK = "ca.acme-renew"
#: when to renew, as a part of the certificate's life, and how long the window is
_WHEN, _WIDTH = 2 / 3, 1 / 24
#: a window that is past: renew now
_PAST = timedelta(days=1)


def information(parts: Parts, identifier: str) -> Answer:
    """renewalInfo: a window in which to renew; one in the past means now. Raises NoResource."""
    row = _certificate(parts, identifier)
    if row is None:
        raise NoResource
    with parts.ctx.store.read() as session:
        marked = session.get(RenewalRow, row.serial)
    start, end = _window(row, marked)
    body: dict[str, Any] = {"suggestedWindow": {"start": rfc3339(start), "end": rfc3339(end)}}
    if marked is not None and marked.url:
        body["explanationURL"] = marked.url
    return Answer(body, retry_after=parts.settings.renew_check_hours * 3600)


def _window(row: CertificateRow, marked: RenewalRow | None) -> tuple[datetime, datetime]:
    since = [marked.marked] if marked is not None else []
    if row.revoked_at is not None and row.reason != HOLD:
        since.append(row.revoked_at)
    if since:
        return min(since) - _PAST, min(since)
    life = row.not_after - row.not_before
    start = row.not_before + life * _WHEN
    return start, start + life * _WIDTH


def name_of(certificate: Certificate) -> str:
    """A certificate's identifier (RFC 9773 4.1): its issuer's key and its serial number, base64url."""
    serial = der.content(der.integer(certificate.serial))
    return f"{encode64(certificate.authority_key_id or b'')}.{encode64(serial)}"


def predecessor(parts: Parts, account: AccountRow, names: tuple[GeneralName, ...], identifier: str) -> str:
    """The identifier of the certificate that an order replaces, if it may (RFC 9773 section 5).

    It must be this account's, share a name with the order, and not have been replaced. Raises Malformed, Replaced.
    """
    row = _certificate(parts, identifier)
    with parts.ctx.store.read() as session:
        order = _order_of(session, row) if row is not None else None
        taken = row is not None and session.scalar(sa.select(sa.exists(replacing(identifier))))
    if order is None or order.account != account.id:
        reason = Text("不是本账户的证书", "no certificate of this account")
        raise Malformed(field="replaces", reason=reason)
    if not {tuple(name) for name in order.names} & set(names):
        reason = Text("与原证书没有相同的名称", "it has no name in common with that certificate")
        raise Malformed(field="replaces", reason=reason)
    if taken:
        raise Replaced(certificate=identifier)
    return identifier


def replacing(identifier: str) -> sa.Select[str]:
    """The orders that have replaced it or are about to."""
    ended = (OrderState.PROCESSING, OrderState.VALID)
    return sa.select(OrderRow.id).where(OrderRow.replaces == identifier, OrderRow.state.in_(ended))


def _order_of(session: Session, row: CertificateRow) -> OrderRow | None:
    return session.scalars(sa.select(OrderRow).where(OrderRow.serial == row.serial)).one_or_none()


def _certificate(parts: Parts, identifier: str) -> CertificateRow | None:
    """The issued certificate of an identifier in its one spelling; None when there is none."""
    key, _, serial = identifier.partition(".")
    try:
        key_id, number = decode64(key, "certID"), der.number(der.tlv(der.INTEGER, decode64(serial, "certID")))
    except (MalformedJose, ValueError):
        return None
    issuer = parts.ctx.issuers.of_key(key_id) if number > 0 else None
    if issuer is None:
        return None
    with parts.ctx.store.read() as session:
        row = session.get(CertificateRow, f"{number:x}")
    ours = row is not None and row.authority == issuer.name and row.state == State.ISSUED
    if row is None or not ours or row.der is None or name_of(Certificate(row.der)) != identifier:
        return None
    return row


def mark(session: Session, serial: str, by: str, at: datetime, url: str | None) -> None:
    """Let a certificate be replaced now; again, and the later word counts."""
    row = session.get(RenewalRow, serial)
    if row is None:
        session.add(RenewalRow(serial=serial, marked=at, marked_by=by, url=url))
    else:
        row.marked_by, row.url = by, url
