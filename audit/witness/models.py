"""The tables of witnessing: on our side what our witnesses said, on the other what we have said of others' logs."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from audit.models import insert_only, install
from yinxin.store import LONG, Base, housekeeping


class PolicyRow(Base):
    """A policy of logs, witnesses and quorum for one tree; the one of the highest number is in force."""

    __tablename__ = "audit_policy"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    #: the hash's name
    tree: Mapped[str] = mapped_column(sa.String(16), index=True)
    policy: Mapped[bytes]
    since: Mapped[datetime]
    proposal: Mapped[str] = mapped_column(sa.String(40))


class CosignatureRow(Base):
    """What a witness said of our checkpoint of `size`, at the time it says; a later word on the same size is one more row."""

    __tablename__ = "audit_cosignature"

    tree: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    size: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    key_id: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    value: Mapped[bytes]
    received: Mapped[datetime]


class AskedRow(Base):
    """How asking a witness goes: when it is asked next, how often that failed, and why."""

    __tablename__ = "audit_asked"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    tree: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    key_id: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    #: what it is believed to have cosigned last
    size: Mapped[int] = mapped_column(LONG, default=0)
    due: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(sa.String(80))


class ContradictionRow(Base):
    """That a witness has seen another history of our log; `note`, when there is one, is signed by our own key."""

    __tablename__ = "audit_contradiction"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    origin: Mapped[str] = mapped_column(sa.String(255), index=True)
    tree: Mapped[str] = mapped_column(sa.String(16))
    witness: Mapped[str] = mapped_column(sa.String(200))
    key_id: Mapped[str] = mapped_column(sa.String(8))
    #: forked or rolled-back
    kind: Mapped[str] = mapped_column(sa.String(16))
    size: Mapped[int] = mapped_column(LONG)
    theirs: Mapped[int] = mapped_column(LONG)
    note: Mapped[bytes | None]
    at: Mapped[datetime]


class WitnessedLogRow(Base):
    """A log of another site that we witness: its name, and its keys as texts, one a line."""

    __tablename__ = "audit_witnessed_log"

    origin: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    tree: Mapped[str] = mapped_column(sa.String(16))
    keys: Mapped[str] = mapped_column(sa.Text)
    since: Mapped[datetime]
    stopped: Mapped[datetime | None]
    proposal: Mapped[str] = mapped_column(sa.String(40))


class WitnessedRow(Base):
    """The newest checkpoint that we have cosigned of a log; it only ever moves forward."""

    __tablename__ = "audit_witnessed"

    origin: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    #: SHA-256 of the origin, hex: its address
    address: Mapped[str] = mapped_column(sa.String(64), unique=True)
    size: Mapped[int] = mapped_column(LONG)
    root: Mapped[bytes]
    note: Mapped[bytes]
    at: Mapped[datetime]


class SuspectRow(Base):
    """A checkpoint that its log signed, and that does not continue what we had cosigned of it.

    `proven`: it has the size of the one we cosigned and another root. Else somebody submitted it without a good proof.
    """

    __tablename__ = "audit_suspect"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    origin: Mapped[str] = mapped_column(sa.String(255), index=True)
    held: Mapped[int] = mapped_column(LONG)
    size: Mapped[int] = mapped_column(LONG)
    proven: Mapped[bool]
    #: the submission as it came
    submission: Mapped[bytes]
    at: Mapped[datetime]


_FORWARD = "NEW.size < OLD.size OR NEW.origin <> OLD.origin"
_forward = (
    "CREATE OR REPLACE FUNCTION audit_forward() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'what is witnessed only moves forward'; END $$"
)
_abort = "BEGIN SELECT RAISE(ABORT, 'what is witnessed only moves forward'); END"
_rows = insert_only(
    {
        "audit_policy": ("number = NEW.number",),
        "audit_cosignature": (
            "tree = NEW.tree AND size = NEW.size AND name = NEW.name AND key_id = NEW.key_id AND at = NEW.at",
        ),
        "audit_contradiction": ("id = NEW.id",),
        "audit_suspect": ("id = NEW.id",),
    }
)
#: by dialect, the statements that make these tables insert-only, and what is witnessed move forward only
TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        *_rows["sqlite"],
        f"CREATE TRIGGER audit_witnessed_no_return BEFORE UPDATE ON audit_witnessed WHEN {_FORWARD} {_abort}",
        f"CREATE TRIGGER audit_witnessed_no_delete BEFORE DELETE ON audit_witnessed {_abort}",
    ),
    "postgresql": (
        *_rows["postgresql"],
        _forward,
        f"CREATE TRIGGER audit_witnessed_no_return BEFORE UPDATE ON audit_witnessed FOR EACH ROW WHEN ({_FORWARD}) EXECUTE FUNCTION audit_forward()",
        "CREATE TRIGGER audit_witnessed_no_delete BEFORE DELETE ON audit_witnessed FOR EACH ROW EXECUTE FUNCTION audit_forward()",
        "CREATE TRIGGER audit_witnessed_no_truncate BEFORE TRUNCATE ON audit_witnessed FOR EACH STATEMENT EXECUTE FUNCTION audit_forward()",
    ),
}
install(TRIGGERS, PolicyRow, CosignatureRow, ContradictionRow, SuspectRow, WitnessedRow)
