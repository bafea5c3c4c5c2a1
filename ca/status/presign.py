"""OCSP answers kept ready for every certificate in force, signed anew in batches before they end.

An answer is stored only if its certificate has not changed since its status was read: the number of the newest change
is compared in the statement that stores. A revocation empties the answer in its own transaction, so a stale “good” is
never there to be served.
"""

import time
from datetime import datetime, timedelta
from typing import Any, cast

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
from yinxin.store import Sql, listed

#: answers signed between two commits, and seconds after which the rest is left to the next run
BATCH = 200
LONGEST = 120.0


_ANSWER, _ROW = (cast("sa.Table", each.__table__) for each in (AnswerRow, CertificateRow))
_DUE = Sql(
    sa.select(
        _ANSWER.c.serial,
        _ANSWER.c.change,
        _ROW.c.not_after,
        _ROW.c.state,
        _ROW.c.revoked_at,
        _ROW.c.reason,
    )
    .join_from(_ANSWER, _ROW, _ROW.c.serial == _ANSWER.c.serial)
    .where(_ANSWER.c.authority == sa.bindparam("of"), _ANSWER.c.due <= sa.bindparam("now"))
    .order_by(_ANSWER.c.due)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)
_FREE = Sql(
    sa.select(_ANSWER.c.serial).where(listed(_ANSWER.c.serial, "serials")).with_for_update(skip_locked=True)
)
_ENDED = Sql(sa.delete(_ANSWER).where(_ANSWER.c.serial == sa.bindparam("of")))
_STORE = Sql(
    sa.update(_ANSWER)
    .where(_ANSWER.c.serial == sa.bindparam("of"), _ANSWER.c.change == sa.bindparam("known"))
    .values(answer=sa.bindparam("signed"), due=sa.bindparam("again"), until=sa.bindparam("ends"))
)


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
    asked = {"of": issuer.name, "now": int(now.timestamp()), "most": BATCH}
    with ctx.store.look() as look:
        due = _DUE.all(look, asked)
    if not due:
        return 0
    # 2. signed
    ended = [each.serial for each in due if each.not_after < now]
    signed = [(each, _sign(ctx, issuer, responder, each, now)) for each in due if each.serial not in ended]
    # 3. stored where nothing changed meanwhile; what somebody is changing right now is left to the next run
    wait = int(timedelta(hours=ctx.settings.status.presigned_hours).total_seconds()) // 2
    stored: list[tuple[str, int, bytes]] = []
    with ctx.store.housekeep() as session:
        connection = session.connection()
        free = set(_FREE.scalars(connection, {"serials": [each.serial for each in due]}))
        if gone := [{"of": each} for each in ended if each in free]:
            _ENDED.run_many(connection, gone)
        for each, answer in signed:
            # spread out, so that what was signed together is not due together for ever
            again = wait - wait * int(each.serial[-2:], 16) // 1024
            made = {"signed": answer, "again": int(now.timestamp()) + again}
            same = {"of": each.serial, "known": each.change, "ends": int(now.timestamp()) + 2 * wait}
            if each.serial in free and _STORE.run(connection, made | same):
                stored.append((each.serial, each.change, answer))
    # 4. for everybody to fetch
    publish.withdraw(ctx, issuer.name, ended)
    publish.answers(ctx, issuer.name, stored)
    return len(due) if free else 0


def _sign(ctx: Context, issuer: Issuer, responder: Service, due: Any, now: datetime) -> bytes:
    cert_id = CertId.of(int(due.serial, 16), issuer.chain[0])
    until = now + timedelta(hours=ctx.settings.status.presigned_hours)
    return build_ocsp_response(
        signer=responder.signer,
        responder=responder.certificate,
        answers=[OcspAnswer(cert_id, status_of(due), now, until)],
        produced_at=now,
    )
