"""OCSP answers kept ready for every certificate in force, signed anew in batches before they end.

An answer is stored only if its certificate has not changed since its status was read: the number of the newest change
is compared in the statement that stores. A revocation empties the answer in its own transaction, so a stale “good” is
never there to be served.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ca.context import Context
from ca.errors import StatusUnavailable
from ca.issuer import Issuer
from ca.models import CertificateRow
from ca.services import Service, service
from ca.status import publish
from ca.status.models import AnswerRow
from ca.status.ocsp import status_of
from yinxin.crypto.status import CertId, OcspAnswer, build_ocsp_response

#: answers signed between two commits, and seconds after which the rest is left to the next run
BATCH = 200
LONGEST = 120.0


@dataclass(frozen=True, slots=True)
class _Due:
    serial: str
    change: int
    certificate: CertificateRow


def refresh(ctx: Context) -> int:
    """Sign every answer that is due; the number signed. For the timer."""
    if not ctx.settings.status.presigned_hours:
        return 0
    began, count = time.monotonic(), 0
    for name in ctx.issuers.names():
        issuer = ctx.issuers.get(name)
        try:
            responder = service(ctx, "ocsp-responder", issuer)
        except StatusUnavailable:
            continue  # a root has none: its certificates' status is on its list
        while time.monotonic() - began < LONGEST and (done := _batch(ctx, issuer, responder)):
            count += done
    return count


def _batch(ctx: Context, issuer: Issuer, responder: Service) -> int:
    now = ctx.store.clock.now().replace(microsecond=0)
    # 1. what is due, with its number of changes, in one view
    query = (
        sa.select(AnswerRow.serial, AnswerRow.change, CertificateRow)
        .join(CertificateRow, CertificateRow.serial == AnswerRow.serial)
        .where(AnswerRow.authority == issuer.name, AnswerRow.due <= int(now.timestamp()))
        .order_by(AnswerRow.due)
        .limit(BATCH)
    )
    with ctx.store.read() as session:
        due = [_Due(*row) for row in session.execute(query)]
    if not due:
        return 0
    # 2. signed
    ended = [each.serial for each in due if each.certificate.not_after < now]
    signed = [(each, _sign(ctx, issuer, responder, each, now)) for each in due if each.serial not in ended]
    # 3. stored where nothing changed meanwhile; what somebody is changing right now is left to the next run
    wait = int(timedelta(hours=ctx.settings.status.presigned_hours).total_seconds()) // 2
    stored: list[tuple[str, int, bytes]] = []
    with ctx.store.housekeep() as session:
        serials = [each.serial for each in due]
        locking = sa.select(AnswerRow.serial).where(AnswerRow.serial.in_(serials))
        free = set(session.scalars(locking.with_for_update(skip_locked=True)))
        session.execute(sa.delete(AnswerRow).where(AnswerRow.serial.in_(free & set(ended))))
        for each, answer in signed:
            # spread out, so that what was signed together is not due together for ever
            again = wait - wait * int(each.serial[-2:], 16) // 1024
            values = {
                "answer": answer,
                "due": int(now.timestamp()) + again,
                "until": int(now.timestamp()) + 2 * wait,
            }
            same = sa.update(AnswerRow).where(
                AnswerRow.serial == each.serial, AnswerRow.change == each.change
            )
            if each.serial in free and session.execute(same.values(values)).rowcount:  # type: ignore[attr-defined]
                stored.append((each.serial, each.change, answer))
    # 4. for everybody to fetch
    publish.withdraw(ctx, issuer.name, ended)
    publish.answers(ctx, issuer.name, stored)
    return len(due) if free else 0


def _sign(ctx: Context, issuer: Issuer, responder: Service, due: _Due, now: datetime) -> bytes:
    cert_id = CertId.of(int(due.serial, 16), issuer.chain[0])
    until = now + timedelta(hours=ctx.settings.status.presigned_hours)
    return build_ocsp_response(
        signer=responder.signer,
        responder=responder.certificate,
        answers=[OcspAnswer(cert_id, status_of(due.certificate), now, until)],
        produced_at=now,
    )
