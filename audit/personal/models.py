"""What opens the commitments of entries, and what was erased. Insert-only, but that an erased opening may leave.

Whoever can drop the triggers can change a value or let one go. `check` holds each opening against its commitment, and each
that is not there against the record of an erasure in the log.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from audit.models import insert_only, install
from yinxin.store import LONG, Base


class OpeningRow(Base):
    """The salt and value of one personal field of an entry, and the stable identifier of the person whose it is.

    A value is its UTF-8 octets: it is text from outside, and PostgreSQL's text takes no NUL.
    """

    __tablename__ = "audit_opening"

    index: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    person: Mapped[str | None] = mapped_column(sa.String(200), index=True)
    salt: Mapped[bytes]
    value: Mapped[bytes]


class ErasedRow(Base):
    """A field whose opening was erased, and the proposal that decided it."""

    __tablename__ = "audit_erased"

    index: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    erasure: Mapped[str] = mapped_column(sa.String(40), index=True)


class ErasureRow(Base):
    """An erasure: the proposal that decided it, whose data it was, on what ground, how much, and the digest of the list of fields."""

    __tablename__ = "audit_erasure"

    proposal: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    at: Mapped[datetime]
    person: Mapped[str | None] = mapped_column(sa.String(200))
    ground: Mapped[str] = mapped_column(sa.String(40))
    basis: Mapped[str] = mapped_column(sa.Text)
    fields: Mapped[int]
    entries: Mapped[int]
    #: of those entries, how many stand in archives
    archived: Mapped[int]
    digest: Mapped[str] = mapped_column(sa.String(64))


class HoldRow(Base):
    """An order that somebody's data is kept, or that it no longer is; empty is everybody. The newest about a person counts."""

    __tablename__ = "audit_hold"

    proposal: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(200))
    held: Mapped[bool]
    basis: Mapped[str] = mapped_column(sa.Text)
    since: Mapped[datetime]


_GONE = 'EXISTS (SELECT 1 FROM audit_erased WHERE audit_erased."index" = OLD."index" AND audit_erased.name = OLD.name)'
_LETTING_GO = (
    "CREATE OR REPLACE FUNCTION audit_erasing() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN IF {_GONE} THEN RETURN OLD; END IF; "
    "RAISE EXCEPTION 'the audit log is insert-only'; END $$"
)
_PLAIN = insert_only(
    {
        "audit_opening": ('"index" = NEW."index" AND name = NEW.name',),
        "audit_erased": ('"index" = NEW."index" AND name = NEW.name',),
        "audit_erasure": ("proposal = NEW.proposal",),
        "audit_hold": ("proposal = NEW.proposal",),
    }
)
_DELETE, _CHANGE = (
    "BEFORE DELETE ON audit_opening BEGIN",
    "BEFORE UPDATE OR DELETE ON audit_opening ",
)
#: by dialect, the statements that guard both tables; an opening leaves only once its erasure stands in the other
TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": tuple(
        each.replace(_DELETE, f"BEFORE DELETE ON audit_opening WHEN NOT {_GONE} BEGIN")
        for each in _PLAIN["sqlite"]
    ),
    "postgresql": (
        _LETTING_GO,
        *(each.replace(_CHANGE, "BEFORE UPDATE ON audit_opening ") for each in _PLAIN["postgresql"]),
        "CREATE TRIGGER audit_opening_erased BEFORE DELETE ON audit_opening FOR EACH ROW EXECUTE FUNCTION audit_erasing()",
    ),
}
# audit_erased first: the triggers of audit_opening look into it
install(TRIGGERS, ErasedRow, OpeningRow, ErasureRow, HoldRow)
