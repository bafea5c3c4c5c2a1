"""The one table: every key of the key centre, wherever its secret part is."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class Purpose(StrEnum):
    """What a key is for; it never changes."""

    CA = "ca"
    OCSP = "ocsp"
    TSA = "tsa"
    LOG = "log"
    SEAL = "seal"
    EVIDENCE = "evidence"
    TLS = "tls"
    TOKEN = "token"  # noqa: S105 - the purpose's name
    ENROLMENT = "enrolment"
    #: opens what is encrypted for it, and signs; always wrapped, see `KeyCentre.open_envelope`
    DECIPHER = "decipher"
    KEK = "kek"


class Place(StrEnum):
    """Where the secret part is: in the module, or in the row, wrapped under a key in the module."""

    HSM = "hsm"
    WRAPPED = "wrapped"


class State(StrEnum):
    """`making` → `active` → `retired`."""

    MAKING = "making"
    ACTIVE = "active"
    RETIRED = "retired"


class KeyRow(Base):
    """A key. `id` is also its CKA_ID in the module; the columns from `kek` on are those of a wrapped key."""

    __tablename__ = "kms_key"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(64), unique=True)
    purpose: Mapped[str] = mapped_column(sa.String(16))
    algorithm: Mapped[str] = mapped_column(sa.String(16))
    suite: Mapped[str] = mapped_column(sa.String(16))
    owner: Mapped[str] = mapped_column(sa.String(64), index=True)
    place: Mapped[str] = mapped_column(sa.String(8))
    state: Mapped[str] = mapped_column(sa.String(8))
    created: Mapped[datetime]
    #: DER SubjectPublicKeyInfo; none while the key is being made, and for keys that wrap
    spki: Mapped[bytes | None]
    kek: Mapped[str | None] = mapped_column(sa.String(64))
    nonce: Mapped[bytes | None]
    blob: Mapped[bytes | None]
