"""A new organ."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.active import active
from authz.directory.check import check_organ
from authz.directory.codes import check_within
from authz.directory.errors import AlreadyThere
from authz.directory.file import OrganEntry
from authz.directory.past import Difference, entered
from authz.directory.tree import plant
from authz.models import OrganRow
from yinxin.store import Act


def found(act: Act, entry: OrganEntry, at: datetime) -> tuple[Difference, ...]:
    """Enter an organ below an active one, or at the top.

    Raises BadIdentifier, BadDivision, BadUscc, DivisionOutside, UnknownOrgan, OrganEnded, AlreadyThere.
    """
    session, row = act.session, f"organ:{entry.id}"
    check_organ(row, entry)
    tenant = None
    if entry.parent is not None:
        parent = active(session, entry.parent)
        tenant = parent.tenant
        check_within(row, entry.division, parent.id, parent.division)
    if session.get(OrganRow, entry.id) is not None:
        raise AlreadyThere(subject=row)
    _unused_code(session, entry)
    made = OrganRow(**entry.model_dump(), status="active", since=at, tenant=tenant)
    session.add(made)
    plant(session, entry.id, entry.parent)
    return (entered(made),)


def _unused_code(session: Session, entry: OrganEntry) -> None:
    if entry.uscc is None:
        return
    other = session.scalar(sa.select(OrganRow.id).where(OrganRow.uscc == entry.uscc))
    if other is not None:
        raise AlreadyThere(subject=f"organ:{other} (uscc)")
