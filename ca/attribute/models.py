"""Tables of attribute certificates. A row exists before its signature does, and is never deleted."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base

_OPEN = sa.text("state != 'abandoned'")


class AttributeCertificateRow(Base):
    """One attribute certificate: written as an intent, then issued or abandoned (states of `ca.models.State`)."""

    __tablename__ = "ca_attribute_certificate"
    __table_args__ = (
        # a reference may be tried again after an attempt was abandoned, and never otherwise
        sa.Index(
            "ux_ca_attribute_certificate_reference",
            "reference",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        sa.Index("ix_ca_attribute_certificate_authority", "authority", "revoked_at"),
        sa.Index("ix_ca_attribute_certificate_organ", "organ", "serial"),
        # what is looked at again and again while it can still be taken back
        sa.Index(
            "ix_ca_attribute_certificate_watched",
            "not_after",
            "serial",
            sqlite_where=sa.text("revocable AND revoked_at IS NULL"),
            postgresql_where=sa.text("revocable AND revoked_at IS NULL"),
        ),
        sa.CheckConstraint("(state = 'issued') = (der IS NOT NULL)", name="issued_has_der"),
    )

    serial: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    #: label of the key of the attribute authority, and serial number of its certificate
    authority: Mapped[str] = mapped_column(sa.String(80))
    signer: Mapped[str] = mapped_column(sa.ForeignKey("ca_certificate.serial"))
    reference: Mapped[str] = mapped_column(sa.String(200))
    request_digest: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[str] = mapped_column(sa.String(12), index=True)
    #: serial number of the holder's certificate, and who she is in which post
    certificate: Mapped[str] = mapped_column(sa.ForeignKey("ca_certificate.serial"), index=True)
    person: Mapped[str] = mapped_column(sa.String(80), index=True)
    post: Mapped[str] = mapped_column(sa.String(80))
    organ: Mapped[str] = mapped_column(sa.String(80))
    tbs: Mapped[bytes]
    der: Mapped[bytes | None]
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    #: whether it names a list; one that does not ends by its time alone
    revocable: Mapped[bool]
    requested_by: Mapped[str] = mapped_column(sa.String(80))
    created: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(30))


class AttributeListRow(Base):
    """The revocation list in force of an attribute authority, by the label of its key."""

    __tablename__ = "ca_attribute_list"

    authority: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    number: Mapped[int]
    this_update: Mapped[datetime]
    next_update: Mapped[datetime]
    der: Mapped[bytes]
