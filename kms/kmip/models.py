"""Tables of KMIP's face: the systems that may come, their certificates, and what they keep here."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kms.models import OPEN_GENERATION
from yinxin.store import Base


class KmipClientRow(Base):
    """A system that may come. The row outlives its registration: an identifier is never given twice."""

    __tablename__ = "kms_kmip_client"
    __table_args__ = (sa.Index("ix_kms_kmip_client_organ", "organ", "id"),)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(64))
    created: Mapped[datetime]
    ended: Mapped[datetime | None]


class KmipCertificateRow(Base):
    """A certificate by which a client is known: SHA-256 of its DER, hexadecimal."""

    __tablename__ = "kms_kmip_certificate"
    __table_args__ = (sa.Index("ix_kms_kmip_certificate_client", "client", "admitted"),)

    fingerprint: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    client: Mapped[str] = mapped_column(sa.ForeignKey("kms_kmip_client.id"))
    subject: Mapped[str] = mapped_column(sa.Text)
    not_after: Mapped[datetime]
    admitted: Mapped[datetime]


class KmipObjectRow(Base):
    """A key or secret that a client keeps here. Its state follows from its instants (`kms.kmip.lifecycle`)."""

    __tablename__ = "kms_kmip_object"
    __table_args__ = (
        sa.Index("ix_kms_kmip_object_client", "client", "created", "id"),
        sa.Index("ix_kms_kmip_object_kek", "kek", "id"),
        sa.Index("ix_kms_kmip_object_wipe_at", "wipe_at"),
    )

    #: KMIP's Unique Identifier
    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    client: Mapped[str] = mapped_column(sa.ForeignKey("kms_kmip_client.id"))
    object_type: Mapped[int]
    #: of a key; of secret data its type stands in `secret_type`
    algorithm: Mapped[int | None]
    length: Mapped[int]
    usage: Mapped[int]
    form: Mapped[int]
    secret_type: Mapped[int | None]
    #: brought in, and not made here
    imported: Mapped[bool]
    created: Mapped[datetime]
    changed: Mapped[datetime]
    activation: Mapped[datetime | None]
    process_start: Mapped[datetime | None]
    protect_stop: Mapped[datetime | None]
    deactivation: Mapped[datetime | None]
    compromise_occurrence: Mapped[datetime | None]
    compromised: Mapped[datetime | None]
    destroyed: Mapped[datetime | None]
    revocation_code: Mapped[int | None]
    revocation_message: Mapped[str | None] = mapped_column(sa.Text)
    #: what the ciphertext is bound to, see `kms.kmip.material.about`
    about: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    kek: Mapped[str | None] = mapped_column(sa.String(64), sa.ForeignKey(OPEN_GENERATION))
    nonce: Mapped[bytes | None]
    blob: Mapped[bytes | None]
    #: when the ciphertext of a destroyed object is overwritten; empty afterwards
    wipe_at: Mapped[datetime | None]


class KmipAttributeRow(Base):
    """An attribute that the client gave an object, one row an instance."""

    __tablename__ = "kms_kmip_attribute"
    __table_args__ = (
        sa.UniqueConstraint("object", "name", "number"),
        sa.UniqueConstraint("client", "title"),
        sa.Index("ix_kms_kmip_attribute_digest", "client", "digest"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    object: Mapped[str] = mapped_column(sa.ForeignKey("kms_kmip_object.id"))
    client: Mapped[str] = mapped_column(sa.ForeignKey("kms_kmip_client.id"))
    name: Mapped[str] = mapped_column(sa.String(128))
    #: its Attribute Index
    number: Mapped[int]
    #: the TTLV of its Attribute Value
    value: Mapped[bytes]
    #: SHA-256 of name and value, hexadecimal: by which objects are located
    digest: Mapped[str] = mapped_column(sa.String(64))
    #: the value of a Name, which is one object's among a client's; empty when that is destroyed
    title: Mapped[str | None] = mapped_column(sa.String(256))
