"""Tables of the escrow: encryption keys of holders, and the recoveries of them."""

from datetime import datetime
from enum import StrEnum
from typing import get_args

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from audit.models import install
from kms.escrow.triggers import TRIGGERS
from kms.models import OPEN_GENERATION, EncryptionAlgorithm
from yinxin.store import Base


class Standing(StrEnum):
    """Where an encryption key stands: made ahead, given to a holder, or kept for what was encrypted in the past."""

    STANDBY = "standby"
    IN_USE = "in-use"
    HISTORY = "history"


class Why(StrEnum):
    """Why a key went into the history."""

    REPLACED = "replaced"
    REVOKED = "revoked"
    EXPIRED = "expired"


class UserKeyRow(Base):
    """An encryption key, wrapped under a key in the module. It is made here: no key of another origin comes in.

    Standby → in use → history and no other way, never another holder's, never deleted: the database holds to it
    (`kms.escrow.triggers`).
    """

    __tablename__ = "kms_user_key"
    __table_args__ = (
        sa.Index("ix_kms_user_key_pool", "standing", "algorithm", "id"),
        sa.Index("ix_kms_user_key_holder", "holder_kind", "holder"),
        sa.Index("ix_kms_user_key_kek", "kek", "id"),
        sa.CheckConstraint("(standing = 'standby') = (reference IS NULL)", name="standby_has_no_holder"),
        sa.CheckConstraint(
            "algorithm IN ({})".format(", ".join(f"'{each}'" for each in get_args(EncryptionAlgorithm))),
            name="encryption_only",
        ),
        sa.CheckConstraint("standing IN ('standby', 'in-use', 'history')", name="known_standing"),
        sa.CheckConstraint(
            "standing <> 'history' OR (ended IS NOT NULL AND why IS NOT NULL AND keep_until IS NOT NULL)",
            name="history_has_an_end",
        ),
        sa.Index("ix_kms_user_key_expires", "standing", "expires"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    algorithm: Mapped[str] = mapped_column(sa.String(16))
    standing: Mapped[str] = mapped_column(sa.String(8))
    spki: Mapped[bytes]
    spki_digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kek: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey(OPEN_GENERATION))
    nonce: Mapped[bytes]
    blob: Mapped[bytes]
    created: Mapped[datetime]
    #: what the key was given for: the same reference gets the same key
    reference: Mapped[str | None] = mapped_column(sa.String(200), unique=True)
    holder_kind: Mapped[str | None] = mapped_column(sa.String(12))
    holder: Mapped[str | None] = mapped_column(sa.String(80))
    organ: Mapped[str | None] = mapped_column(sa.String(80))
    given: Mapped[datetime | None]
    #: serial number of the certificate over it (hexadecimal), and when that ends
    certificate: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    expires: Mapped[datetime | None]
    #: when and why it went into the history, and until when it is kept at least
    ended: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(sa.String(8))
    keep_until: Mapped[datetime | None]


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
    #: until when the holder is not told, by a law that the proposal names
    withheld_until: Mapped[datetime | None]


install(TRIGGERS, UserKeyRow)
