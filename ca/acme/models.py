"""Tables of ACME.

What follows from other rows is not written a second time: whether an order is ready is told by its authorizations, and
that a name was validated by the authorization alone.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kms.models import OPEN_GENERATION
from yinxin.store import Base, housekeeping


class AccountState(StrEnum):
    """Where an account stands (RFC 8555 7.1.2)."""

    VALID = "valid"
    DEACTIVATED = "deactivated"


class OrderState(StrEnum):
    """What is written of an order; an open one is pending, ready or invalid as its authorizations say."""

    OPEN = "open"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"


class AuthorizationState(StrEnum):
    """What is written of an authorization; time makes it expire (RFC 8555 7.1.6)."""

    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"


class AccountRow(Base):
    """An account: a key, and the credential it is bound to."""

    __tablename__ = "ca_acme_account"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(12))
    #: RFC 7638; unique, so that a key has one account
    thumbprint: Mapped[str] = mapped_column(sa.String(43), unique=True)
    jwk: Mapped[dict[str, Any]]
    credential: Mapped[str] = mapped_column(sa.ForeignKey("ca_credential.id"), index=True)
    organ: Mapped[str] = mapped_column(sa.String(80))
    contact: Mapped[list[str]] = mapped_column(sa.JSON)
    created: Mapped[datetime]


class OrderRow(Base):
    """An order of one account: the names, and what became of it."""

    __tablename__ = "ca_acme_order"
    __table_args__ = (
        sa.Index("ix_ca_acme_order_account", "account", "id"),
        sa.Index("ix_ca_acme_order_begun", "state", "begun"),
        # one certificate is replaced once (RFC 9773 section 5), however many orders say so
        sa.Index(
            "ux_ca_acme_order_replaces",
            "replaces",
            unique=True,
            sqlite_where=sa.text("state IN ('processing', 'valid')"),
            postgresql_where=sa.text("state IN ('processing', 'valid')"),
        ),
        sa.CheckConstraint("(state = 'valid') = (serial IS NOT NULL)", name="valid_has_serial"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    account: Mapped[str] = mapped_column(sa.ForeignKey("ca_acme_account.id"))
    state: Mapped[str] = mapped_column(sa.String(12))
    profile: Mapped[str] = mapped_column(sa.String(60))
    #: [kind, name] of each, in the order asked for; kinds are those of `yinxin.crypto.general_names`
    names: Mapped[list[list[str]]] = mapped_column(sa.JSON)
    authorizations: Mapped[list[str]] = mapped_column(sa.JSON)
    #: identifier (RFC 9773 4.1) of the certificate that this one takes the place of
    replaces: Mapped[str | None] = mapped_column(sa.String(80))
    created: Mapped[datetime]
    expires: Mapped[datetime]
    begun: Mapped[datetime | None]
    serial: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    error: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)


class AuthorizationRow(Base):
    """That an account may have certificates for a name, or how far the proof of it has come."""

    __tablename__ = "ca_acme_authorization"
    __table_args__ = (
        sa.Index("ix_ca_acme_authorization_name", "account", "kind", "name", "state"),
        sa.Index("ix_ca_acme_authorization_due", "state", "due"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    account: Mapped[str] = mapped_column(sa.ForeignKey("ca_acme_account.id"))
    kind: Mapped[str] = mapped_column(sa.String(4))
    name: Mapped[str] = mapped_column(sa.String(253))
    state: Mapped[str] = mapped_column(sa.String(12))
    expires: Mapped[datetime]
    #: of all its challenges
    token: Mapped[str] = mapped_column(sa.String(43))
    #: the challenge that the client chose, and when
    challenge: Mapped[str | None] = mapped_column(sa.String(12))
    answered: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    #: when it is to be tried; a process that tries it puts this off first, so that another takes over if it dies
    due: Mapped[datetime | None]
    validated: Mapped[datetime | None]
    error: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)


class RenewalRow(Base):
    """A certificate that an officer wants replaced now (RFC 9773)."""

    __tablename__ = "ca_acme_renewal"

    serial: Mapped[str] = mapped_column(sa.ForeignKey("ca_certificate.serial"), primary_key=True)
    marked: Mapped[datetime]
    marked_by: Mapped[str] = mapped_column(sa.String(80))
    url: Mapped[str | None] = mapped_column(sa.Text)


class NonceRow(Base):
    """A nonce that was used; kept until it would have expired."""

    __tablename__ = "ca_acme_nonce"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    nonce: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    made: Mapped[datetime] = mapped_column(index=True)


class NonceKeyRow(Base):
    """The key that nonces are made under, as ciphertext of the key centre's: all processes give out and take the same."""

    __tablename__ = "ca_acme_nonce_key"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kek: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey(OPEN_GENERATION))
    nonce: Mapped[bytes]
    blob: Mapped[bytes]
