"""The table of keys that are never certified again."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class BlockedKeyRow(Base):
    """A key that is never certified again."""

    __tablename__ = "ca_blocked_key"

    #: SHA-256 of the SubjectPublicKeyInfo (64 digits); or as in Debian's lists of CVE-2008-0166: the last 20 digits
    #: of the SHA-1 of `Modulus=…`
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(sa.String(30))
    since: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(80))
    note: Mapped[str] = mapped_column(sa.String(200))
