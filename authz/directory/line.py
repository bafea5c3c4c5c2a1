"""Lines of business 条线: departments of one kind up and down the tree.

A department stands below the government of its own level; its superior in the line is the department of the same line
of the nearest government above that has one.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.records import Line, Organ
from authz.models import OrganClosure, OrganRow


def line_of(session: Session, organ: Organ) -> Line:
    """The nearest organ of the line above, and all of the line below; empty for an organ of no line."""
    if organ.line is None or organ.parent is None:
        return Line(None, ())
    same = (OrganRow.line == organ.line, OrganRow.status == "active", OrganRow.id != organ.id)
    above = (
        sa.select(OrganRow.id)
        .join(OrganClosure, OrganClosure.ancestor == OrganRow.parent)
        .where(OrganClosure.organ == organ.parent, OrganClosure.distance > 0, *same)
        .order_by(OrganClosure.distance, OrganRow.id)
    )
    below = (
        sa.select(OrganRow.id)
        .join(OrganClosure, OrganClosure.organ == OrganRow.parent)
        .where(OrganClosure.ancestor == organ.parent, OrganClosure.distance > 0, *same)
        .order_by(OrganRow.id)
    )
    return Line(session.scalars(above).first(), tuple(session.scalars(below)))
