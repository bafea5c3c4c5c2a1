"""Expiring: what was not carried out in time is closed, each on the record; for the timer."""

from contextlib import suppress

import sqlalchemy as sa

from authz.proposal.context import Context, subject
from authz.proposal.errors import ProposalClosed
from authz.proposal.models import PENDING, ProposalRow, State
from authz.proposal.move import move
from yinxin.act import SYSTEM
from yinxin.text import Text

VERB = "authz.expire-proposal"
_ACT = Text("过期", "expired")
#: closed in one run of the timer
_MOST = 500


def expire(ctx: Context) -> int:
    """Close what is past its time; how many."""
    now, count = ctx.store.clock.now(), 0
    query = sa.select(ProposalRow.id).where(ProposalRow.state.in_(PENDING), ProposalRow.expires <= now)
    with ctx.store.read() as session:
        due = session.scalars(query.order_by(ProposalRow.expires).limit(_MOST)).all()
    for id_ in due:
        row = ctx.find(id_)
        # somebody may decide on it in the meantime
        with suppress(ProposalClosed), ctx.store.act(SYSTEM, VERB, subject(id_), digest=row.digest) as act:
            move(act.session, row, State.EXPIRED, now, _ACT, moved_by=SYSTEM.id)
            count += 1
    return count
