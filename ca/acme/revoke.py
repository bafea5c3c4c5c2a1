"""Revocation (RFC 8555 7.6): by the account that ordered, by one that may have all the names, or by the certificate's key."""

from typing import Any

import sqlalchemy as sa

from ca.acme.errors import BadRevocationReason, Malformed, NoResource, NotYours, Revoked
from ca.acme.models import AuthorizationRow, AuthorizationState, OrderRow
from ca.acme.parts import Answer, Asked, Parts, actor_of
from ca.acme.payload import needed, text
from ca.errors import AlreadyRevoked, UnderARoot, UnknownCertificate
from ca.inventory import find
from ca.models import CertificateRow
from ca.revoke import REASONS
from ca.revoke import revoke as revoke_certificate
from yinxin.act import STRANGER, Actor, Kind
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed as Unreadable
from yinxin.crypto.errors import MalformedJose, UnsupportedAlgorithm
from yinxin.crypto.jose import decode64
from yinxin.crypto.status import Reason
from yinxin.text import Text


def revoke(parts: Parts, asked: Asked) -> Answer:
    """RevokeCert. Raises Malformed, NoResource, NotYours, BadRevocationReason, Revoked."""
    payload = needed(asked.payload)
    certificate = _certificate(text(payload, "certificate"))
    row = _ours(parts, certificate)
    reason = _reason(payload.get("reason"))
    actor = _entitled(parts, asked, row, certificate)
    decision = {"acme": asked.key.thumbprint}
    try:
        revoke_certificate(parts.ctx, actor, row.serial, reason, decision)
    except AlreadyRevoked as error:
        raise Revoked(at=error.facts["revoked_at"]) from error
    except UnderARoot as error:
        raise NotYours(what=_REVOKE) from error
    return Answer()


_REVOKE = Text("撤销该证书", "revoke this certificate")


def _certificate(encoded: str) -> Certificate:
    try:
        return Certificate(decode64(encoded, "certificate"))
    except (MalformedJose, Unreadable, UnsupportedAlgorithm) as error:
        raise Malformed(field="certificate", reason=error) from error


def _ours(parts: Parts, certificate: Certificate) -> CertificateRow:
    """The issuance of this very certificate; raises NoResource."""
    try:
        row = find(parts.ctx, certificate.fingerprint)
    except UnknownCertificate as error:
        raise NoResource from error
    return row


def _reason(code: Any) -> str:
    """The reason of a CRLReason number (RFC 5280 5.3.1), none is unspecified; raises BadRevocationReason."""
    known = {reason.code: reason for reason in REASONS}
    if code is None:
        return Reason.UNSPECIFIED
    if isinstance(code, bool) or not isinstance(code, int) or code not in known:
        raise BadRevocationReason(reason=str(code)[:20], known=", ".join(map(str, known)))
    return known[code]


def _entitled(parts: Parts, asked: Asked, row: CertificateRow, certificate: Certificate) -> Actor:
    """Who revokes it, if that is somebody who may; raises NotYours."""
    if asked.account is None:
        if asked.key.key != certificate.public_key:
            raise NotYours(what=_REVOKE)
        return Actor(Kind.STRANGER, STRANGER.id, certificate=certificate.fingerprint, via="acme")
    account, names = asked.account, set(certificate.san)
    now = parts.ctx.store.clock.now()
    proved = sa.select(AuthorizationRow).where(
        AuthorizationRow.account == account.id,
        AuthorizationRow.state == AuthorizationState.VALID,
        AuthorizationRow.expires > now,
        AuthorizationRow.name.in_([name for _, name in names]),
    )
    with parts.ctx.store.read() as session:
        order = session.scalars(sa.select(OrderRow).where(OrderRow.serial == row.serial)).one_or_none()
        ordered = order is not None and order.account == account.id
        held = set() if ordered else {(each.kind, each.name) for each in session.scalars(proved)}
    if not ordered and not (names and names <= held):
        raise NotYours(what=_REVOKE)
    return actor_of(account)
