"""Tables of the nightly re-check: how far it is, and what it found."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping


class PassRow(Base):
    """How far the pass over certificates, or over lists, has come; one row for each.

    A row `rules.N` says in `began` since when certificates are made by the linter's rules of that edition.
    """

    __tablename__ = "ca_recheck"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    what: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    #: the last one checked in the pass under way; empty between passes
    cursor: Mapped[str] = mapped_column(sa.String(120))
    began: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    #: how many were checked in the pass under way, or in the last one
    checked: Mapped[int]


class FindingRow(Base):
    """Something stored that is not as it should be; gone once a later pass finds it right again."""

    __tablename__ = "ca_recheck_finding"
    # it comes, changes and goes in acts; only the time it was last seen changes without a record
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    #: `certificate:SERIAL` or `list:LINE:NUMBER`
    subject: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    faults: Mapped[str] = mapped_column(sa.Text)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
