"""Tables of the ceremonies: which were held, the vault token, and the copies of keys that only it passes on."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class CeremonyRow(Base):
    """A ceremony of the key centre that was begun, by the digest of its plan: begun once, and done once."""

    __tablename__ = "kms_ceremony"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    #: the plan as it was reviewed
    plan: Mapped[dict[str, Any]]
    begun: Mapped[datetime]
    begun_by: Mapped[str] = mapped_column(sa.String(80))
    #: the proposal by which it was approved; none for the first
    proposal: Mapped[str | None] = mapped_column(sa.String(26))
    done: Mapped[datetime | None]
    #: digest of the ceremony that was held instead, when this one was given up
    given_up_for: Mapped[str | None] = mapped_column(sa.String(64))


class VaultRow(Base):
    """The token that lies in a safe: its public receiving key, under which a copy of each key in the module is kept."""

    __tablename__ = "kms_vault"

    serial: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(32))
    #: RSAPublicKey, DER (RFC 8017 A.1.1)
    receiver: Mapped[bytes]
    since: Mapped[datetime]


class CopyRow(Base):
    """A key of the module on its way to a token that is not there yet (`kms.engine.engine.SharedKey`).

    `id` is the key's. `transport` opens in the vault token only, `wrapped` under what it holds only: without that token
    the row is of no use to anybody.
    """

    __tablename__ = "kms_copy"

    id: Mapped[str] = mapped_column(sa.String(26), sa.ForeignKey("kms_key.id"), primary_key=True)
    vault: Mapped[str] = mapped_column(sa.String(16), sa.ForeignKey("kms_vault.serial"))
    spki: Mapped[bytes | None]
    transport: Mapped[bytes]
    wrapped: Mapped[bytes]
    #: attributes of the public half, MessagePack
    public: Mapped[bytes]
