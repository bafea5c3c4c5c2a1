"""Organs that a change may touch."""

from sqlalchemy.orm import Session

from authz.directory.errors import OrganEnded, TenantBoundary
from authz.errors import UnknownOrgan
from authz.models import OrganRow


def active(session: Session, organ: str) -> OrganRow:
    """The organ's row, held until the transaction ends; raises UnknownOrgan, OrganEnded."""
    row = session.get(OrganRow, organ, with_for_update=True)
    if row is None:
        raise UnknownOrgan(organ=organ)
    if row.status != "active":
        raise OrganEnded(organ=organ)
    return row


def no_tenant(row: OrganRow) -> None:
    """Raise TenantBoundary for a tenant: its tenancy ends first, by its own people, before it can itself."""
    if row.tenant == row.id:
        raise TenantBoundary(organ=row.id, other=row.parent or "-")
