"""Two tables: every key of the key centre, wherever its secret part is; and the generations of the key that wraps others."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base

#: what the column `kek` of every table with ciphertexts refers to
OPEN_GENERATION = "kms_generation.open_label"

#: the kinds of key that are kept in escrow: they decrypt. A key that only signs is none of them, in the database as here
EncryptionAlgorithm = Literal["ecdsa-p256", "rsa-3072", "rsa-4096", "sm2", "ml-kem-768", "ml-kem-1024"]


class Purpose(StrEnum):
    """What a key is for; it never changes."""

    CA = "ca"
    OCSP = "ocsp"
    TSA = "tsa"
    LOG = "log"
    WITNESS = "witness"
    SEAL = "seal"
    EVIDENCE = "evidence"
    ATTRIBUTES = "attributes"
    SEAL_MAKER = "seal-maker"
    TLS = "tls"
    TOKEN = "token"  # noqa: S105 - the purpose's name
    ENROLMENT = "enrolment"
    EXCHANGE = "exchange"
    #: opens what is encrypted for it, and signs; always wrapped, see `KeyCentre.open_envelope`
    DECIPHER = "decipher"
    KEK = "kek"
    #: the module's own part of a service key, see `kms.keyring`
    SERVICE = "service"


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
    kek: Mapped[str | None] = mapped_column(sa.String(64), sa.ForeignKey(OPEN_GENERATION))
    nonce: Mapped[bytes | None]
    blob: Mapped[bytes | None]


class GenerationRow(Base):
    """A generation of the key that wraps others, itself a key of the register.

    `open_label` is its label for as long as a ciphertext may lie under it, and what every table with ciphertexts refers
    to: so the database itself lets no generation retire under which something lies, and takes nothing under one that has.
    """

    __tablename__ = "kms_generation"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str] = mapped_column(sa.String(64), unique=True)
    open_label: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    begun: Mapped[datetime]
    begun_by: Mapped[str] = mapped_column(sa.String(80))
    #: when the next one began; the one without is what new ciphertexts lie under
    replaced: Mapped[datetime | None]
    #: when nothing was left under it, and when its key was destroyed in the module
    retired: Mapped[datetime | None]
    destroyed: Mapped[datetime | None]
    #: ciphertexts that have moved to a later one so far
    moved: Mapped[int] = mapped_column(default=0)
    #: ciphertexts that did not open when all were last gone through, and when that was
    unopened: Mapped[int] = mapped_column(default=0)
    gone_through: Mapped[datetime | None]
