"""Tables: what clients call things, and who was removed for all of them."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class ExternalRow(Base):
    """A client's own name (`externalId`) for a person (`user`) or a post (`group`): no other client sees it."""

    __tablename__ = "authz_scim_external"
    __table_args__ = (
        sa.UniqueConstraint("client", "kind", "external_id", name="uq_authz_scim_external_named"),
    )

    client: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    external_id: Mapped[str] = mapped_column(sa.String(200))


class RemovedRow(Base):
    """A person whom a client deleted: retired, and from then on nobody for SCIM, unless she came back since `at`."""

    __tablename__ = "authz_scim_removed"

    person: Mapped[str] = mapped_column(sa.ForeignKey("authz_person.id"), primary_key=True)
    at: Mapped[datetime]
