"""What came from other sites: each copy, who sent it, and what its sender was last told of it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class Arrival(Base):
    """A copy that another site sent to an organ of this one. `refused` says why it was not taken in; then there is no document.

    `told` is the state that its sender has been told of: what differs from the copy's is told next.
    """

    __tablename__ = "document_arrival"

    document: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    peer: Mapped[str] = mapped_column(sa.String(64))
    sender: Mapped[str] = mapped_column(sa.String(80))
    level: Mapped[str] = mapped_column(sa.String(20))
    refused: Mapped[str | None] = mapped_column(sa.String(2000))
    told: Mapped[str | None] = mapped_column(sa.String(20))
    at: Mapped[datetime]
