"""How long entries are kept, which archives were sealed, and which entries stand in them: insert-only, like the log.

An archive's row carries a note signed with the log's keys. Whoever can write to the database can add a row and let the
triggers pass; without the keys she cannot sign it, and `check` names it.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from audit.models import insert_only, install
from yinxin.store import LONG, Base


class RetentionRow(Base):
    """How many days entries of a scope are kept from `since` on (None: for ever): a verb, a module with its dot, or empty for all."""

    __tablename__ = "audit_retention"

    proposal: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    scope: Mapped[str] = mapped_column(sa.String(80))
    days: Mapped[int | None]
    since: Mapped[datetime]
    basis: Mapped[str] = mapped_column(sa.String(400))


class ArchiveRow(Base):
    """A sealed archive: which entries, the digest of its file, and the signed note that says both."""

    __tablename__ = "audit_archive"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    made: Mapped[datetime]
    size: Mapped[int] = mapped_column(LONG)
    first: Mapped[int] = mapped_column(LONG)
    last: Mapped[int] = mapped_column(LONG)
    count: Mapped[int]
    digest: Mapped[bytes]
    note: Mapped[bytes]


class SealedRow(Base):
    """An entry that stands in an archive, by the hashes that it has there; and its number, which is missed otherwise."""

    __tablename__ = "audit_sealed"

    index: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    archive: Mapped[str] = mapped_column(sa.String(40), sa.ForeignKey("audit_archive.name"), index=True)
    leaf_sha256: Mapped[bytes]
    leaf_sm3: Mapped[bytes]
    source: Mapped[str | None] = mapped_column(sa.String(40))
    number: Mapped[int | None] = mapped_column(LONG)


class LookRow(Base):
    """What the last run of the schedule found: one row, written anew each time; derived, so not of the record."""

    __tablename__ = "audit_archiving"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    overdue: Mapped[int]
    oldest: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(80))


TRIGGERS: dict[str, tuple[str, ...]] = insert_only(
    {
        "audit_retention": ("proposal = NEW.proposal",),
        "audit_archive": ("name = NEW.name",),
        "audit_sealed": ('"index" = NEW."index"',),
    }
)
install(TRIGGERS, RetentionRow, ArchiveRow, SealedRow)
