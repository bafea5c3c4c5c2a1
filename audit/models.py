"""The log's tables: insert-only, by triggers on both engines.

The triggers stop mistakes and casual edits. Whoever can drop them can edit; that is what the trees, the signed
checkpoints and the checkpoint file are for.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base

_Index = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class EntryRow(Base):
    """One leaf: `data` is the event's canonical bytes; the columns after the leaf hashes repeat parts of it for queries."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        sa.Index(None, "verb", "index"),
        sa.Index(None, "subject", "index"),
        sa.Index(None, "actor", "index"),
        sa.Index(None, "request"),
        sa.Index(None, "time"),
    )

    index: Mapped[int] = mapped_column(_Index, primary_key=True, autoincrement=False)
    event: Mapped[str] = mapped_column(sa.String(40), unique=True)
    data: Mapped[bytes]
    leaf_sha256: Mapped[bytes]
    leaf_sm3: Mapped[bytes]
    time: Mapped[datetime]
    verb: Mapped[str] = mapped_column(sa.String(80))
    subject: Mapped[str] = mapped_column(sa.String(300))
    actor: Mapped[str] = mapped_column(sa.String(200))
    outcome: Mapped[str] = mapped_column(sa.String(20))
    request: Mapped[str | None] = mapped_column(sa.String(80))


class NodeRow(Base):
    """A complete subtree of level 1 and above; the leaf hashes stand in `audit_entry`. `tree` is the hash's name."""

    __tablename__ = "audit_node"

    tree: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(_Index, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class CheckpointRow(Base):
    """The signed notes over the first `size` entries, one for each tree."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(_Index, primary_key=True, autoincrement=False)
    time: Mapped[datetime]
    note_sha256: Mapped[bytes]
    note_sm3: Mapped[bytes]


_TABLES: dict[str, tuple[str, ...]] = {
    # table: conditions under which an INSERT would replace a row (SQLite's OR REPLACE fires no delete trigger)
    "audit_entry": ('"index" = NEW."index"', "event = NEW.event"),
    "audit_node": ('tree = NEW.tree AND level = NEW.level AND "index" = NEW."index"',),
    "audit_checkpoint": ("size = NEW.size",),
}
_REFUSE = (
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is insert-only'; END $$"
)


def _sqlite(table: str, replaces: tuple[str, ...]) -> tuple[str, ...]:
    abort = "BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END"
    taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {condition})" for condition in replaces)  # noqa: S608 - constants of this file
    return (
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {abort}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {abort}",
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {abort}",
    )


def _postgresql(table: str) -> tuple[str, ...]:
    refuse = "FOR EACH {} EXECUTE FUNCTION audit_refuse()"
    return (
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} {refuse.format('ROW')}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refuse.format('STATEMENT')}",
    )


#: by dialect, the statements that make the tables insert-only, in order; a migration executes them after the tables
TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": tuple(each for table, replaces in _TABLES.items() for each in _sqlite(table, replaces)),
    "postgresql": (_REFUSE, *(each for table in _TABLES for each in _postgresql(table))),
}


def _install(table: sa.Table, connection: sa.Connection, **_: object) -> None:
    statements = TRIGGERS[connection.dialect.name]
    for statement in statements:
        if statement == _REFUSE or f" ON {table.name} " in statement:
            connection.exec_driver_sql(statement)


for _model in (EntryRow, NodeRow, CheckpointRow):
    sa.event.listen(_model.__table__, "after_create", _install)
