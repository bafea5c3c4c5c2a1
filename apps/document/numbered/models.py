"""The register of numbered copies: who holds which, in the system or on paper, and what became of it."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base
from yinxin.text import Text


class Medium(StrEnum):
    """Whether a copy is one in the system, or a print on paper."""

    FILE = "file"
    PAPER = "paper"

    @property
    def text(self) -> Text:
        """In words."""
        return Text("电子件", "in the system") if self is Medium.FILE else Text("纸质件", "on paper")


class State(StrEnum):
    """What became of a copy; `destroying`: one person has destroyed it, and another is to confirm that she saw it."""

    HELD = "held"
    RETURNED = "returned"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"

    @property
    def text(self) -> Text:
        """In words."""
        return _TEXT[self]


_TEXT = {
    State.HELD: Text("持有", "held"),
    State.RETURNED: Text("已清退", "given back"),
    State.DESTROYING: Text("已销毁，待监销人确认", "destroyed, to be witnessed"),
    State.DESTROYED: Text("已销毁", "destroyed"),
}


class NumberedCopy(Base):
    """One copy of a classified document. Numbers begin at 1, the issuing organ's own, and are never given twice.

    A register at another site than the issuing organ's is of the copies that are made there; its number 1 is the copy that came. `mark` is
    what stands on such a copy: that of the copy which it is made of, and behind it the number here.
    `reader` is for whom it was printed. `ended_by` gave it back or destroyed it, `witness` saw it destroyed.
    """

    __tablename__ = "document_numbered_copy"

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mark: Mapped[str | None] = mapped_column(sa.String(200))
    organ: Mapped[str] = mapped_column(sa.String(80))
    medium: Mapped[str] = mapped_column(sa.String(10))
    state: Mapped[str] = mapped_column(sa.String(20))
    reader: Mapped[str | None] = mapped_column(sa.String(100))
    person: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime]
    entry: Mapped[str] = mapped_column(sa.String(40))
    reason: Mapped[str | None] = mapped_column(sa.String(2000))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(sa.String(80))
    witness: Mapped[str | None] = mapped_column(sa.String(80))

    @property
    def shown(self) -> str:
        """What stands on it: six digits (GB/T 9704-2012, 7.2.1), and more of one that was made at another site."""
        return self.mark or f"{self.number:06d}"
