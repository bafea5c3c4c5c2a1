"""How far each receiver is, and what it acknowledged. Housekeeping: the log itself is elsewhere."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import LONG, Base, housekeeping


class CursorRow(Base):
    """A receiver: entries below `acknowledged` are its own; who holds `lease` may send to it."""

    __tablename__ = "audit_cursor"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    receiver: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    acknowledged: Mapped[int] = mapped_column(LONG, default=0)
    acknowledged_at: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(sa.String(40))
    leased_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    due: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(80))
    alarmed: Mapped[bool] = mapped_column(default=False)
    #: how far the copies were found to agree with the log, when, and what was found wrong
    reconciled: Mapped[int] = mapped_column(LONG, default=0)
    reconciled_at: Mapped[datetime | None]
    differing: Mapped[int | None] = mapped_column(LONG)


class CopyRow(Base):
    """A range [first, end) that a receiver acknowledged, with the digest of its leaf hashes as they were sent."""

    __tablename__ = "audit_copy"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    receiver: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    first: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    end: Mapped[int] = mapped_column(LONG)
    digest: Mapped[bytes]
    at: Mapped[datetime]


class LossRow(Base):
    """Operational log lines that a machine had to drop."""

    __tablename__ = "audit_loss"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    source: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    dropped: Mapped[int] = mapped_column(LONG, default=0)
    at: Mapped[datetime]
    alarmed_at: Mapped[datetime | None]
    #: how many of them the newest alarm knew of
    alarmed: Mapped[int] = mapped_column(LONG, default=0)
