"""The closure of the tree, kept with every change: all pairs of an organ and an organ above it.

Authority flows down the tree as far as the next tenant (`authz.tenant`): an organ reaches those below it that are of the same
tenant, or of none as it is itself.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from authz.directory.errors import OrganUnderItself, TenantBoundary
from authz.models import OrganClosure, OrganRow


def is_under(session: Session, organ: str, ancestor: str) -> bool:
    """Whether `organ` is `ancestor` or below it."""
    pair = sa.exists().where(OrganClosure.organ == organ, OrganClosure.ancestor == ancestor)
    return bool(session.scalar(sa.select(pair)))


def below(organ: str) -> sa.Select[str]:
    """The identifiers of the organ and all below it, for a condition."""
    return sa.select(OrganClosure.organ).where(OrganClosure.ancestor == organ)


def reached(organ: str) -> sa.Select[str]:
    """The identifiers of the organ and those below it whose affairs are its own too, for a condition: none of a tenant below it."""
    top = aliased(OrganRow)
    return (
        sa.select(OrganClosure.organ)
        .join(OrganRow, OrganRow.id == OrganClosure.organ)
        .join(top, top.id == OrganClosure.ancestor)
        .where(OrganClosure.ancestor == organ, OrganRow.tenant.is_not_distinct_from(top.tenant))
    )


def plant(session: Session, organ: str, parent: str | None) -> None:
    """Enter a new organ below `parent`, or at the top."""
    session.flush()
    session.execute(sa.insert(OrganClosure).values(organ=organ, ancestor=organ, distance=0))
    if parent is not None:
        _hang(session, organ, parent)


def uproot(session: Session, organ: str, parent: str) -> None:
    """Hang the organ, with all below it, below `parent`; raises OrganUnderItself, TenantBoundary."""
    session.flush()
    keep_apart(session, organ, parent)
    if is_under(session, parent, organ):
        raise OrganUnderItself(organ=organ, parent=parent)
    above = sa.select(OrganClosure.ancestor).where(
        OrganClosure.organ == organ, OrganClosure.ancestor != organ
    )
    # both lists are read first: a table is not read and deleted from in one statement on every engine alike
    whole, ancestors = list(session.scalars(below(organ))), list(session.scalars(above))
    for begin in range(0, len(whole), _CHUNK):
        part = whole[begin : begin + _CHUNK]
        session.execute(
            sa.delete(OrganClosure).where(OrganClosure.organ.in_(part), OrganClosure.ancestor.in_(ancestors))
        )
    _hang(session, organ, parent)


def keep_apart(session: Session, organ: str, other: str) -> None:
    """Raise TenantBoundary unless both are of one tenant, or of none; a tenant itself may stand below any organ."""
    mine, its = session.get_one(OrganRow, organ).tenant, session.get_one(OrganRow, other).tenant
    if mine not in (its, organ):
        raise TenantBoundary(organ=organ, other=other)


#: identifiers in one condition: SQLite takes 32,766 parameters, other engines fewer in good time
_CHUNK = 1000


def _hang(session: Session, organ: str, parent: str) -> None:
    part, up = aliased(OrganClosure), aliased(OrganClosure)
    pairs = (
        sa.select(part.organ, up.ancestor, part.distance + up.distance + 1)
        .join(up, up.organ == parent)
        .where(part.ancestor == organ)
    )
    found = [
        {"organ": organ, "ancestor": above, "distance": far} for organ, above, far in session.execute(pairs)
    ]
    session.execute(sa.insert(OrganClosure), found)
