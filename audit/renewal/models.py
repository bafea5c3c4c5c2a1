"""What is in keeping, the timestamps that renewed it, and what each of them covers: insert-only, like the log.

A link is one timestamp and may cover thousands of proofs; a branch says that it is the n-th link of one of them, and by which way
through the hash tree.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from audit.models import insert_only, install
from yinxin.store import LONG, Base


class KeptRow(Base):
    """A file in keeping, by kind (`archive`, `bundle`) and name: its digest, and the path at which it was put."""

    __tablename__ = "audit_kept"

    kind: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    made: Mapped[datetime]
    sha256: Mapped[bytes]
    file: Mapped[str] = mapped_column(sa.String(1000))


class LinkRow(Base):
    """One timestamp: when its first certificate ends, the algorithms of its signature, and the hash it is over.

    `data` is the archive timestamp (RFC 4998) without its tree; empty where it is the checkpoint's own token (`audit_stamp`).
    """

    __tablename__ = "audit_link"

    number: Mapped[int] = mapped_column(LONG, primary_key=True)
    at: Mapped[datetime]
    ends: Mapped[datetime] = mapped_column(index=True)
    algorithms: Mapped[str] = mapped_column(sa.String(400), index=True)
    hash: Mapped[str] = mapped_column(sa.String(16), index=True)
    data: Mapped[bytes]


class BranchRow(Base):
    """That a link is the one at `position` (from 0) of a proof; `opens`: it begins a new chain. `path`: DER, its way to the root."""

    __tablename__ = "audit_branch"

    kind: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    link: Mapped[int] = mapped_column(sa.ForeignKey("audit_link.number"), index=True)
    opens: Mapped[bool]
    path: Mapped[bytes]


TRIGGERS: dict[str, tuple[str, ...]] = insert_only(
    {
        "audit_kept": ("kind = NEW.kind AND name = NEW.name",),
        "audit_link": ("number = NEW.number",),
        "audit_branch": ("kind = NEW.kind AND name = NEW.name AND position = NEW.position",),
    }
)
install(TRIGGERS, KeptRow, LinkRow, BranchRow)
