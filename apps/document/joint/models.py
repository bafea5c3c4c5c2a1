"""Who countersigns a document, and how far each has come; and which organs may issue one together, as the law has it when."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base
from yinxin.text import Text

#: ranks that are equals (Regulation 2012, art. 17: 同级). A department's rank is that of the organ above it, as a department.
_RANKS = ("province", "city", "county", "township")
_BASIS = "党政机关公文处理工作条例第十七条"
RULES = [
    {"rank": rank, "other": rank, "since": date(2012, 7, 1), "until": None, "basis": _BASIS}
    for rank in (*_RANKS, *(f"department/{above}" for above in _RANKS))
]


class Part(StrEnum):
    """What an organ's countersignature is for: it issues the document too and seals it, or is asked and no more."""

    JOINT = "joint"
    CONSULTED = "consulted"

    @property
    def text(self) -> Text:
        """In words."""
        if self is Part.JOINT:
            return Text("联署机关", "joint organ")
        return Text("会签机关", "organ consulted")


class Countersigner(Base):
    """An organ that countersigns a document; `position` is its place among those of its part, from 1.

    `asked_at`: since when it is to. `content_sha256` is the digest of the very content that it signed: with another one its
    signature does not hold any more. `entry` is the log's record of that, on which its seal is used. `seal_width` is the width of its
    seal in mm, as its own leader's side knew it; `seal_box` is where the seal goes.
    """

    __tablename__ = "document_countersigner"
    # what an organ countersigns, newest first
    __table_args__ = (sa.Index("ix_document_countersigner_organ_document", "organ", "document"),)

    document: Mapped[str] = mapped_column(sa.ForeignKey("document.id"), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    part: Mapped[str] = mapped_column(sa.String(10))
    position: Mapped[int]
    asked_at: Mapped[datetime | None]
    content_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    signed_at: Mapped[datetime | None]
    signer: Mapped[str | None] = mapped_column(sa.String(80))
    signer_name: Mapped[str | None] = mapped_column(sa.String(80))
    signer_title: Mapped[str | None] = mapped_column(sa.String(400))
    entry: Mapped[str | None] = mapped_column(sa.String(40))
    urged: Mapped[int] = mapped_column(default=0)
    urged_at: Mapped[datetime | None]
    seal_width: Mapped[int | None]
    seal_box: Mapped[dict[str, Any] | None]
    sealed_at: Mapped[datetime | None]
    #: the certificate of the seal that it put on
    seal: Mapped[str | None] = mapped_column(sa.String(64))

    def holds(self, content_sha256: str) -> bool:
        """Whether it has signed the content of this digest."""
        return self.content_sha256 == content_sha256


class JointRule(Base):
    """Two ranks of organs that may issue documents together, from `since` until the day before `until`."""

    __tablename__ = "document_joint_rule"

    rank: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    other: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    since: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date | None]
    basis: Mapped[str] = mapped_column(sa.String(200))


def _shipped(table: sa.Table, connection: sa.Connection, **_: object) -> None:
    """Tables that are made without a migration have the regulation's rules too."""
    connection.execute(sa.insert(table), RULES)


sa.event.listen(JointRule.__table__, "after_create", _shipped)
