"""Tables of people's signing keys: the keys, the locks on them, and what each has signed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kms.models import OPEN_GENERATION
from yinxin.store import Base


class Way(StrEnum):
    """By what a lock opens."""

    PIN = "pin"
    PASSKEY = "passkey"


class HolderKeyRow(Base):
    """A person's signing key. The row outlives its secret; `standing` holds one that has not ended to one per suite."""

    __tablename__ = "kms_holder_key"
    __table_args__ = (sa.Index("ix_kms_holder_key_holder", "holder", "id"),)

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(64))
    #: the organ of the post in which it was made
    organ: Mapped[str] = mapped_column(sa.String(64))
    suite: Mapped[str] = mapped_column(sa.String(16))
    algorithm: Mapped[str] = mapped_column(sa.String(16))
    #: DER SubjectPublicKeyInfo
    spki: Mapped[bytes]
    created: Mapped[datetime]
    ended: Mapped[datetime | None]
    #: holder and suite of a key that has not ended
    standing: Mapped[str | None] = mapped_column(sa.String(90), unique=True)


class HolderLockRow(Base):
    """The key's secret as one way of opening it has it: encrypted under what only the holder gives, and that under the KEK.

    A changed PIN is another row; when the key ends there is none.
    """

    __tablename__ = "kms_holder_lock"
    __table_args__ = (
        sa.UniqueConstraint("key", "way"),
        sa.Index("ix_kms_holder_lock_kek", "kek", "id"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    key: Mapped[str] = mapped_column(sa.ForeignKey("kms_holder_key.id"))
    way: Mapped[str] = mapped_column(sa.String(8))
    #: what both layers are bound to, see `kms.holder.lock.about`
    about: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    #: how the inner key is derived, its salt among it
    derivation: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    #: tries since the last that opened it; counted before each is made
    attempts: Mapped[int]
    created: Mapped[datetime]
    kek: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey(OPEN_GENERATION))
    nonce: Mapped[bytes]
    blob: Mapped[bytes]


class HolderUseRow(Base):
    """A signature that a key made, for its holder to see. `id` is the audit entry's."""

    __tablename__ = "kms_holder_use"
    __table_args__ = (sa.Index("ix_kms_holder_use_key", "key", "id"),)

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    key: Mapped[str] = mapped_column(sa.ForeignKey("kms_holder_key.id"))
    at: Mapped[datetime]
    way: Mapped[str] = mapped_column(sa.String(8))
    purpose: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str] = mapped_column(sa.String(220))
    #: hexadecimal, of what was signed
    digest: Mapped[str] = mapped_column(sa.String(128))
