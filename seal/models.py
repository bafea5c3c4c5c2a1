"""Two tables: the register of seals, and the register of their uses."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class Sort(StrEnum):
    """Whose seal it is: an organ's, or the name seal of a person in office."""

    UNIT = "unit"
    PERSONAL = "personal"


class State(StrEnum):
    """`active` ⇄ `suspended`; `replaced` and `destroyed` are final."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REPLACED = "replaced"
    DESTROYED = "destroyed"


class SealRow(Base):
    """A seal: the structure its maker signed (`der`, GB/T 38540), whom it is bound to, who keeps it, how it stands."""

    __tablename__ = "seal"
    __table_args__ = (sa.Index("ix_seal_organ_id", "organ", "id"),)

    #: also the esID in the structure
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(64))
    sort: Mapped[str] = mapped_column(sa.String(16))
    name: Mapped[str] = mapped_column(sa.String(200))
    #: of a personal seal
    holder: Mapped[str | None] = mapped_column(sa.String(80))
    #: the post whose holder keeps it and puts it on
    keeper: Mapped[str] = mapped_column(sa.String(80))
    state: Mapped[str] = mapped_column(sa.String(16))
    der: Mapped[bytes]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    created: Mapped[datetime]
    #: the seal that this one took the place of
    replaces: Mapped[str | None] = mapped_column(sa.String(40), sa.ForeignKey("seal.id"))
    #: since when it stands as it does, and for which reason
    changed: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(sa.String(32))


class BindingRow(Base):
    """A certificate that may use a seal; `key` is the label of its key in the key centre, if that is where it is."""

    __tablename__ = "seal_binding"

    seal: Mapped[str] = mapped_column(sa.ForeignKey("seal.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    suite: Mapped[str] = mapped_column(sa.String(16))
    key: Mapped[str | None] = mapped_column(sa.String(64))
    certificate: Mapped[bytes]


class UseRow(Base):
    """One use of a seal: on what, on whose approval, by whom, how often it was put on, and what came of it."""

    __tablename__ = "seal_use"
    __table_args__ = (
        sa.UniqueConstraint("seal", "approval"),
        sa.Index("ix_seal_use_organ_id", "organ", "id"),
        sa.Index("ix_seal_use_subject", "subject"),
    )

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    seal: Mapped[str] = mapped_column(sa.ForeignKey("seal.id"))
    organ: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str] = mapped_column(sa.String(200))
    title: Mapped[str] = mapped_column(sa.String(400))
    #: the audit entry that approved it, and who did
    approval: Mapped[str] = mapped_column(sa.String(40))
    approved_by: Mapped[str] = mapped_column(sa.String(80))
    impressions: Mapped[int]
    person: Mapped[str] = mapped_column(sa.String(80))
    post: Mapped[str | None] = mapped_column(sa.String(80))
    begun: Mapped[datetime]
    #: how often it was begun: more than once where sealing was cut short
    times: Mapped[int]
    #: signatures that it may still make
    left: Mapped[int]
    finished: Mapped[datetime | None]
    #: what was sealed, as it came out
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    sm3: Mapped[str | None] = mapped_column(sa.String(64))
