"""The table of published arrangements."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class YearRow(Base):
    """A version of a year's arrangement, in force from a moment on until the next; signed by the site.

    `arrangement` is canonical JSON, whose SHA-256 is `sha256`; `proposal` names what several people approved.
    """

    __tablename__ = "calendar_year"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    arrangement: Mapped[bytes]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    proposal: Mapped[str] = mapped_column(sa.String(40), unique=True)
    author: Mapped[str] = mapped_column(sa.String(80))
    in_force_from: Mapped[datetime]
    in_force_until: Mapped[datetime | None]
    signature: Mapped[str] = mapped_column(sa.Text())
