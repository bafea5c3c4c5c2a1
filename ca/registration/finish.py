"""From an approval to its certificate, exactly once; and the end of what nobody decides on."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.context import Context
from ca.issue import Also, issue
from ca.pair.issue import issue_pair
from ca.profile import HolderKind
from ca.registration.change import change
from ca.registration.errors import WrongState
from ca.registration.models import OPEN, RegistrationRow, State
from ca.registration.submit import pair_of
from ca.request import Holder, IssueRequest
from yinxin.act import SYSTEM, Actor
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.errors import Misconfigured, Unavailable, YinxinError

_log = logging.getLogger("yinxin.ca")

EXPIRE = "ca.expire"
CLOSE = "ca.refuse"


def finish(ctx: Context, actor: Actor, row: RegistrationRow) -> RegistrationRow:
    """Issue for an approved application and mark it issued, in the transaction that stores the certificate, or the pair.

    Safe to repeat and to do twice at once. Raises what `ca.issue.issue` or `ca.pair.issue.issue_pair` raises; what can
    never be issued becomes refused on the way.
    """
    request, decision, mark = request_of(row), _decision(row), _mark(ctx, row.id)
    try:
        if row.pair:
            issue_pair(ctx, ctx.escrow, actor, pair_of(request), decision, also=mark)
        else:
            issue(ctx, actor, request, decision, also=mark)
    except YinxinError as error:
        # what an operator mends, a token or its PIN, says nothing against the application
        if not (error.retryable or isinstance(error, Unavailable | Misconfigured)):
            _close(ctx, actor, row.id, error)
        raise
    with ctx.store.read() as session:
        return session.get_one(RegistrationRow, row.id)


def request_of(row: RegistrationRow) -> IssueRequest:
    """What the certificate, or the pair, is issued for; its reference is the application's identifier."""
    return IssueRequest(
        reference=f"registration/{row.id}",
        profile=row.profile,
        csr=row.csr,
        holder=Holder(cast("HolderKind", row.holder_kind), row.holder, row.post, row.organ),
        days=row.days,
    )


def tend(ctx: Context) -> None:
    """Expire what is over, and issue what was approved and cut off; for the timer."""
    now = ctx.store.clock.now()
    over = sa.and_(RegistrationRow.state.in_(OPEN), RegistrationRow.expires <= now)
    cut_off = RegistrationRow.state == State.APPROVED
    with ctx.store.read() as session:
        rows = session.scalars(sa.select(RegistrationRow).where(sa.or_(over, cut_off))).all()
    for row in rows:
        try:
            if row.state == State.APPROVED:
                finish(ctx, SYSTEM, row)
            else:
                with ctx.store.act(SYSTEM, EXPIRE, f"registration:{row.id}") as act:
                    change(act.session, ctx.store.clock, row.id, OPEN, State.EXPIRED)
        except YinxinError as error:
            _log.warning("application %s: %s", row.id, error)


def _decision(row: RegistrationRow) -> Mapping[str, Any]:
    """What the issuance rests on: the approval, whose own decision stands in its record."""
    decided = rfc3339(row.decided_at) if row.decided_at else "-"
    return {"registration": row.id, "approved_by": row.decided_by or "-", "approved": decided}


def _mark(ctx: Context, id_: str) -> Also:
    def mark(session: Session, certificate: Certificate) -> None:
        serial = f"{certificate.serial:x}"
        change(session, ctx.store.clock, id_, (State.APPROVED,), State.ISSUED, serial=serial)

    return mark


def _close(ctx: Context, actor: Actor, id_: str, error: YinxinError) -> None:
    reason = f"{error.text('zh')} / {error.text('en')}"[:500]
    with (
        suppress(WrongState),  # another worker closed it, for the same reason
        ctx.store.act(actor, CLOSE, f"registration:{id_}", error=error.code) as act,
    ):
        change(act.session, ctx.store.clock, id_, (State.APPROVED,), State.REFUSED, reason=reason)
