"""Ending sessions: those that are named, and with each the sessions that were opened from it."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.models import SessionRow


def close(session: Session, which: sa.ColumnElement[bool], at: datetime) -> Sequence[str]:
    """End the open sessions that `which` selects and those opened from them; the identifiers of all.

    Each round is a statement of its own: what was opened from a session while this waited for its row is seen by then.
    """
    ended = [*_end(session, which, at)]
    opened = ended
    while opened:
        opened = [*_end(session, SessionRow.opened_from.in_(opened), at)]
        ended += opened
    return ended


def _end(session: Session, which: sa.ColumnElement[bool], at: datetime) -> Sequence[str]:
    open_ = sa.update(SessionRow).where(SessionRow.ended.is_(None), which)
    return session.scalars(open_.values(ended=at).returning(SessionRow.id)).all()
