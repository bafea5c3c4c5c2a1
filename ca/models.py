"""Tables of the certificate authority. A certificate's row exists before its signature does, and is never deleted."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping

#: characters of a name that the inventory knows
LONGEST_NAME = 200
#: what stands between two names in one row of them; no name has it, since none has a character that is not printed
BETWEEN = "\n"


class State(StrEnum):
    """Where an issuance stands. An abandoned intent may have been signed but was never handed out; it is revoked."""

    INTENT = "intent"
    ISSUED = "issued"
    ABANDONED = "abandoned"


class AuthorityRow(Base):
    """One generation of a certification authority: one name, one key, one revocation list, for ever.

    The generations of an authority share `line`, the name of the first, and their subject. `serial` names its own
    certificate once we issued it; `adopted` is the fingerprint of the one an outside authority issued for it.
    """

    __tablename__ = "ca_authority"
    __table_args__ = (sa.Index("ux_ca_authority_generation", "line", "generation", unique=True),)

    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    suite: Mapped[str] = mapped_column(sa.String(20))
    key_label: Mapped[str] = mapped_column(sa.String(80), unique=True)
    parent: Mapped[str | None] = mapped_column(sa.ForeignKey("ca_authority.name"))
    #: DER of its subject name and SubjectPublicKeyInfo, fixed by the ceremony before anything is signed
    subject: Mapped[bytes]
    spki: Mapped[bytes]
    serial: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    created: Mapped[datetime]
    line: Mapped[str] = mapped_column(sa.String(60))
    generation: Mapped[int]
    #: from when new certificates of the line are signed by this generation; None: from its own certificate on
    active_from: Mapped[datetime | None]
    #: since when it signs no certificates any more, only their status
    retired_at: Mapped[datetime | None]
    adopted: Mapped[str | None] = mapped_column(sa.String(64))
    #: number of lists that are full: new certificates name those after them (`ca.status.open_lists`), since then
    lists_full: Mapped[int] = mapped_column(server_default="0")
    lists_opened: Mapped[datetime | None]


class ProfileRow(Base):
    """Every version of a profile that a certificate was made by, so that its hash can be resolved for ever."""

    __tablename__ = "ca_profile"

    hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    data: Mapped[bytes]


class CertificateRow(Base):
    """One issuance: written as an intent, then issued or abandoned."""

    __tablename__ = "ca_certificate"
    __table_args__ = (
        # a reference may be tried again after an attempt was abandoned, and never otherwise
        sa.Index(
            "ux_ca_certificate_reference",
            "reference",
            unique=True,
            sqlite_where=sa.text("state != 'abandoned'"),
            postgresql_where=sa.text("state != 'abandoned'"),
        ),
        sa.Index("ix_ca_certificate_revoked", "authority", "revoked_at"),
        # what the inventory finds few of by an index, in the order of its pages
        sa.Index(
            "ix_ca_certificate_withdrawn",
            "revoked_at",
            "serial",
            sqlite_where=sa.text("revoked_at IS NOT NULL"),
            postgresql_where=sa.text("revoked_at IS NOT NULL"),
        ),
        sa.Index("ix_ca_certificate_holder", "holder", "holder_kind"),
        sa.Index("ix_ca_certificate_profile", "profile", "serial"),
        sa.Index("ix_ca_certificate_organ", "organ", "serial"),
        sa.Index("ix_ca_certificate_organ_profile", "organ", "profile", "serial"),
        sa.Index("ix_ca_certificate_created", "created", "serial"),
        sa.Index("ix_ca_certificate_not_after", "not_after", "serial"),
        sa.CheckConstraint("(state = 'issued') = (der IS NOT NULL)", name="issued_has_der"),
        # a change of its state is written there by the database itself (`ca.status.models`)
        {"info": {"followed": ("ca_change", "serial")}},
    )

    serial: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    authority: Mapped[str] = mapped_column(sa.ForeignKey("ca_authority.name"))
    reference: Mapped[str] = mapped_column(sa.String(200))
    request_digest: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[str] = mapped_column(sa.String(12), index=True)
    profile: Mapped[str] = mapped_column(sa.String(60))
    profile_hash: Mapped[str] = mapped_column(sa.ForeignKey("ca_profile.hash"))
    subject: Mapped[str] = mapped_column(sa.Text)
    holder_kind: Mapped[str] = mapped_column(sa.String(12))
    holder: Mapped[str] = mapped_column(sa.String(80))
    post: Mapped[str | None] = mapped_column(sa.String(80))
    organ: Mapped[str | None] = mapped_column(sa.String(80))
    spki_digest: Mapped[str] = mapped_column(sa.String(64), index=True)
    #: the list that the certificate names (`ca.status`); 0 is the whole list
    shard: Mapped[int] = mapped_column(server_default="0")
    tbs: Mapped[bytes]
    lint_certificate: Mapped[bytes]
    der: Mapped[bytes | None]
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(sa.String(80))
    created: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    #: certificateHold while suspended; then both are empty again, unless the hold became final
    reason: Mapped[str | None] = mapped_column(sa.String(30))
    #: when the last hold was lifted: delta lists say removeFromCRL of it
    released_at: Mapped[datetime | None]


class NameRow(Base):
    """Names by which a certificate is found, in lower case: a table narrow enough to be read through.

    As many names as fit stand in one row, `BETWEEN` between them; rows of older versions have one each.
    """

    __tablename__ = "ca_name"

    text: Mapped[str] = mapped_column(sa.String(LONGEST_NAME), primary_key=True)
    serial: Mapped[str] = mapped_column(sa.ForeignKey("ca_certificate.serial"), primary_key=True)


class HoldRow(Base):
    """A period in which a certificate was suspended: nothing that was done with it then can be relied on, for ever."""

    __tablename__ = "ca_hold"
    __table_args__ = (
        sa.Index(
            "ux_ca_hold_open",
            "serial",
            unique=True,
            sqlite_where=sa.text("ended IS NULL"),
            postgresql_where=sa.text("ended IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    serial: Mapped[str] = mapped_column(sa.ForeignKey("ca_certificate.serial"), index=True)
    began: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(80))
    #: None while it lasts; it ends by being lifted, or by a revocation that counts from its beginning
    ended: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(sa.String(80))


class TimestampClock(Base):
    """The latest instant that a timestamp was issued for, by suite; the clock is held against it."""

    __tablename__ = "ca_timestamp_clock"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    suite: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    last: Mapped[datetime]
