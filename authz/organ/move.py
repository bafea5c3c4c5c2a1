"""An organ, with all below it, under another one above."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from authz.directory.active import active
from authz.directory.codes import check_division, check_within
from authz.directory.errors import OrganUnderItself
from authz.directory.past import Difference, alter
from authz.directory.tree import below, is_under, uproot
from authz.errors import UnknownReference
from authz.models import OrganRow
from yinxin.store import Act


def move(
    act: Act, organ: str, parent: str, at: datetime, *, divisions: Mapping[str, str] | None = None
) -> tuple[Difference, ...]:
    """Hang `organ` below `parent`; `divisions` are the new codes of organs in it, where the area changes its code.

    Raises UnknownOrgan, OrganEnded, OrganUnderItself, UnknownReference, BadDivision, DivisionOutside.
    """
    session = act.session
    row, _ = active(session, organ), active(session, parent)
    if is_under(session, parent, organ):
        raise OrganUnderItself(organ=organ, parent=parent)
    differences = alter(act, row, at, parent=parent)
    if differences:
        uproot(session, organ, parent)
    return differences + recode(act, organ, divisions or {}, at)


def recode(act: Act, within: str, divisions: Mapping[str, str], at: datetime) -> tuple[Difference, ...]:
    """Give organs at or below `within` new division codes, then hold every code there against the one above.

    Raises UnknownReference, OrganEnded, BadDivision, DivisionOutside.
    """
    differences: tuple[Difference, ...] = ()
    for each, division in sorted(divisions.items()):
        if not is_under(act.session, each, within):
            raise UnknownReference(row=f"organ:{within}", field="divisions", value=each)
        differences += alter(act, active(act.session, each), at, division=division)
    codes_hold(act.session, within)
    return differences


def codes_hold(session: Session, within: str) -> None:
    """Every division at or below `within` has its form and lies within that of the organ above it."""
    above = aliased(OrganRow)
    pairs = (
        sa.select(OrganRow.id, OrganRow.level, OrganRow.division, above.id, above.division)
        .outerjoin(above, above.id == OrganRow.parent)
        .where(OrganRow.id.in_(below(within)), OrganRow.status == "active")
    )
    found = session.execute(pairs.order_by(OrganRow.id)).all()
    for id_, level, division, _, _ in found:
        check_division(f"organ:{id_}", level, division)
    for id_, _, division, parent, parent_division in found:
        if parent is not None:
            check_within(f"organ:{id_}", division, parent, parent_division)
