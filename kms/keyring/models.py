"""Tables of the keyring: service keys, their versions, how often each has encrypted."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kms.models import OPEN_GENERATION
from yinxin.store import Base, housekeeping


class Condition(StrEnum):
    """`active` → `ending` (to be destroyed at a time, and used by nobody until then) → `destroyed`; or back to `active`."""

    ACTIVE = "active"
    ENDING = "ending"
    DESTROYED = "destroyed"


class ServiceKeyRow(Base):
    """A key that systems use by its name. The row outlives its secrets: a name is never given twice."""

    __tablename__ = "kms_service_key"
    __table_args__ = (
        sa.Index("ix_kms_service_key_owner", "owner", "name"),
        sa.Index("ix_kms_service_key_destroy_at", "destroy_at"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(48), unique=True)
    owner: Mapped[str] = mapped_column(sa.String(64))
    purpose: Mapped[str] = mapped_column(sa.String(64))
    algorithm: Mapped[str] = mapped_column(sa.String(24))
    suite: Mapped[str] = mapped_column(sa.String(16))
    #: what it does, of what its kind can: names with commas between
    operations: Mapped[str] = mapped_column(sa.String(64))
    place: Mapped[str] = mapped_column(sa.String(8))
    condition: Mapped[str] = mapped_column(sa.String(12))
    latest: Mapped[int]
    #: oldest versions that open or verify, and that seal or sign
    min_decrypt: Mapped[int]
    min_encrypt: Mapped[int]
    created: Mapped[datetime]
    #: when its secrets are overwritten, while it is `ending`; and the proposal that decided so
    destroy_at: Mapped[datetime | None]
    proposal: Mapped[str | None] = mapped_column(sa.String(26))


class ServiceKeyVersionRow(Base):
    """One secret of a service key: ciphertext under a key in the module, or none of it where the module holds it."""

    __tablename__ = "kms_service_key_version"
    __table_args__ = (
        sa.UniqueConstraint("key", "version"),
        sa.Index("ix_kms_service_key_version_kek", "kek", "id"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    key: Mapped[str] = mapped_column(sa.ForeignKey("kms_service_key.id"))
    version: Mapped[int]
    #: what the ciphertext is bound to, see `kms.keyring.key.about`
    about: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created: Mapped[datetime]
    imported: Mapped[bool]
    #: DER SubjectPublicKeyInfo of a pair; it stays when the secret is destroyed
    spki: Mapped[bytes | None]
    kek: Mapped[str | None] = mapped_column(sa.String(64), sa.ForeignKey(OPEN_GENERATION))
    nonce: Mapped[bytes | None]
    blob: Mapped[bytes | None]
    destroyed: Mapped[datetime | None]


class ImportRow(Base):
    """A key that may be brought in: which, and the pair that was made for it, its private part wrapped. Gone when used."""

    __tablename__ = "kms_service_key_import"
    __table_args__ = (
        sa.Index("ix_kms_service_key_import_expires", "expires"),
        {"info": housekeeping},
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    method: Mapped[str] = mapped_column(sa.String(24))
    #: name, owner, purpose, algorithm and operations of the key
    wanted: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    spki: Mapped[bytes]
    kek: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey(OPEN_GENERATION))
    nonce: Mapped[bytes]
    blob: Mapped[bytes]
    expires: Mapped[datetime]


class SealedRow(Base):
    """Encryptions that a version has made: random nonces bear only so many."""

    __tablename__ = "kms_service_key_sealed"
    __table_args__ = (
        sa.Index("ix_kms_service_key_sealed_number", "number"),
        {"info": housekeeping},
    )

    key: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger)
