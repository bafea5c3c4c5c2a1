"""Certificate status (RFC 6960): signed on demand, straight from the tables, so that it is never older than they are."""

import logging
from datetime import timedelta

from sqlalchemy.orm import Session

from ca.context import Context
from ca.errors import StatusUnavailable
from ca.issuer import Issuer
from ca.models import CertificateRow, State
from ca.services import service
from yinxin.crypto.status import (
    CertId,
    Good,
    OcspAnswer,
    OcspError,
    OcspRequest,
    Reason,
    Revoked,
    Status,
    Unknown,
    build_ocsp_error,
    build_ocsp_response,
)
from yinxin.errors import Invalid, YinxinError
from yinxin.text import Text

_log = logging.getLogger("yinxin.ca")

#: certificates that one request may ask about
MOST_QUESTIONS = 16


def answer(ctx: Context, encoded: bytes) -> bytes:
    """An OCSPResponse for an OCSPRequest, both DER; whatever goes wrong leaves as an answer of RFC 6960 4.2.1."""
    try:
        if len(encoded) > ctx.settings.most_request_bytes:
            return build_ocsp_error(OcspError.MALFORMED_REQUEST)
        request = OcspRequest.load(encoded)
    except Invalid:
        return build_ocsp_error(OcspError.MALFORMED_REQUEST)
    try:
        return _answer(ctx, request)
    except StatusUnavailable:
        return build_ocsp_error(OcspError.UNAUTHORIZED)
    except YinxinError:
        _log.exception("a status request could not be answered")
        return build_ocsp_error(OcspError.TRY_LATER)


def _answer(ctx: Context, request: OcspRequest) -> bytes:
    issuer = _asked(ctx, request.ids[0])
    # an answer has one signer, and it may speak for one authority only (RFC 6960 4.2.2.2)
    if len(request.ids) > MOST_QUESTIONS or not all(_asked(ctx, each) is issuer for each in request.ids):
        raise StatusUnavailable(
            authority="-", reason=Text("一次请求涉及多个签发机构", "several authorities in one request")
        )
    responder = service(ctx, "ocsp-responder", issuer)
    now = ctx.store.clock.now().replace(microsecond=0)
    until = now + timedelta(minutes=ctx.settings.ocsp_minutes)
    with ctx.store.read() as session:
        answers = [OcspAnswer(each, _status(session, issuer, each), now, until) for each in request.ids]
    return build_ocsp_response(
        signer=responder.signer,
        responder=responder.certificate,
        answers=answers,
        produced_at=now,
        nonce=request.nonce,
    )


def _asked(ctx: Context, cert_id: CertId) -> Issuer:
    for issuer in map(ctx.issuers.get, ctx.issuers.names()):
        if issuer.certificate is not None and cert_id.is_from(issuer.certificate):
            return issuer
    raise StatusUnavailable(authority="-", reason=Text("不是本机构签发", "not issued here"))


def _status(session: Session, issuer: Issuer, cert_id: CertId) -> Status:
    row = session.get(CertificateRow, f"{cert_id.serial:x}")
    if row is None or row.authority != issuer.name:
        return Unknown()
    return status_of(row)


def status_of(row: CertificateRow) -> Status:
    """What is to be said of an issuance."""
    if row.revoked_at is not None:
        reason = Reason(row.reason or Reason.UNSPECIFIED)
        given = None if reason is Reason.UNSPECIFIED else reason
        return Revoked(row.revoked_at.replace(microsecond=0), given)
    # never “good” for what has not been handed out
    return Good() if row.state == State.ISSUED else Unknown()
