"""Tables of the escrow: encryption keys of holders, and the recoveries of them."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class Standing(StrEnum):
    """Where an encryption key stands: made ahead, given to a holder, or kept for what was encrypted in the past."""

    STANDBY = "standby"
    IN_USE = "in-use"
    HISTORY = "history"


class UserKeyRow(Base):
    """An encryption key, wrapped under a key in the module. It is made here: no key of another origin comes in."""

    __tablename__ = "kms_user_key"
    __table_args__ = (
        sa.Index("ix_kms_user_key_pool", "standing", "algorithm", "id"),
        sa.Index("ix_kms_user_key_holder", "holder_kind", "holder"),
        sa.CheckConstraint("(standing = 'standby') = (reference IS NULL)", name="standby_has_no_holder"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    algorithm: Mapped[str] = mapped_column(sa.String(16))
    standing: Mapped[str] = mapped_column(sa.String(8))
    spki: Mapped[bytes]
    spki_digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kek: Mapped[str] = mapped_column(sa.String(64))
    nonce: Mapped[bytes]
    blob: Mapped[bytes]
    created: Mapped[datetime]
    #: what the key was given for: the same reference gets the same key
    reference: Mapped[str | None] = mapped_column(sa.String(200), unique=True)
    holder_kind: Mapped[str | None] = mapped_column(sa.String(12))
    holder: Mapped[str | None] = mapped_column(sa.String(80))
    organ: Mapped[str | None] = mapped_column(sa.String(80))
    given: Mapped[datetime | None]
    ended: Mapped[datetime | None]


class RecoveredKeyRow(Base):
    """What an approved recovery gave: one envelope, made once, which never changes."""

    __tablename__ = "kms_recovered_key"

    proposal: Mapped[str] = mapped_column(sa.ForeignKey("authz_proposal.id"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.ForeignKey("kms_user_key.id"), index=True)
    organ: Mapped[str] = mapped_column(sa.String(80), index=True)
    #: certificate of whoever shall have the key, DER: it can be opened by its key only
    recipient: Mapped[bytes]
    delivered_at: Mapped[datetime]
    delivered_by: Mapped[str] = mapped_column(sa.String(80))
    envelope: Mapped[bytes]
