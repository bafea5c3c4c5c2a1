"""The log's tables: insert-only, by triggers on both engines.

The triggers stop mistakes and casual edits. Whoever can drop them can edit; that is what the trees, the signed
checkpoints and the checkpoint file are for.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import LONG, Base


class EntryRow(Base):
    """One leaf: `data` is the event's canonical bytes; the columns after the leaf hashes repeat parts of it.

    What entries are found by stands in `audit.index`.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index(None, "time"),)

    index: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
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


class TileRow(Base):
    """A full tile (c2sp.org/tlog-tiles): 256 hashes of the tree level 8·`level`, and `root`, the hash over them all.

    `tree` is the hash's name. What is not full yet is not stored: its leaf hashes stand in `audit_entry`, its other hashes
    are the roots of tiles below it.
    """

    __tablename__ = "audit_tile"

    tree: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    hashes: Mapped[bytes]


class CheckpointRow(Base):
    """The signed notes over the first `size` entries, one for each tree."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    time: Mapped[datetime]
    note_sha256: Mapped[bytes]
    note_sm3: Mapped[bytes]


class StampRow(Base):
    """The timestamp token (RFC 3161, DER) over one tree's checkpoint of `size`, and the time it says."""

    __tablename__ = "audit_stamp"

    tree: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    size: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    token: Mapped[bytes]


_TABLES: dict[str, tuple[str, ...]] = {
    # table: conditions under which an INSERT would replace a row (SQLite's OR REPLACE fires no delete trigger)
    "audit_entry": ('"index" = NEW."index"', "event = NEW.event"),
    "audit_tile": ('tree = NEW.tree AND level = NEW.level AND "index" = NEW."index"',),
    "audit_checkpoint": ("size = NEW.size",),
    "audit_stamp": ("tree = NEW.tree AND size = NEW.size",),
}
#: the one change an entry can meet: its content leaves once it stands in an archive, by the same hashes (`audit.archive`)
_KEPT = ('"index"', "event", "leaf_sha256", "leaf_sm3", "time", "verb", "outcome")
_LEAVES = " AND ".join(
    (
        *(f"NEW.{name} = OLD.{name}" for name in _KEPT),
        "length(NEW.data) = 0",
        "length(OLD.data) > 0",
        "NEW.subject = ''",
        "NEW.actor = ''",
        "NEW.request IS NULL",
        (
            'EXISTS (SELECT 1 FROM audit_sealed WHERE audit_sealed."index" = OLD."index"'
            " AND audit_sealed.leaf_sha256 = OLD.leaf_sha256 AND audit_sealed.leaf_sm3 = OLD.leaf_sm3)"
        ),
    )
)
_LETTING_GO = (
    "CREATE OR REPLACE FUNCTION audit_letting_go() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN IF COALESCE({_LEAVES}, false) THEN RETURN NEW; END IF; "
    "RAISE EXCEPTION 'the audit log is insert-only'; END $$"
)
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


def insert_only(tables: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """By dialect, the statements that make tables insert-only, given what an INSERT would replace in each."""
    return {
        "sqlite": tuple(each for table, replaces in tables.items() for each in _sqlite(table, replaces)),
        "postgresql": (_REFUSE, *(each for table in tables for each in _postgresql(table))),
    }


def _letting_go(statements: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The same, but that an entry's content may leave for an archive."""
    sqlite, change = "BEFORE UPDATE ON audit_entry BEGIN", "BEFORE UPDATE OR DELETE ON audit_entry "
    gated = f"BEFORE UPDATE ON audit_entry WHEN NOT COALESCE({_LEAVES}, 0) BEGIN"
    update = "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_letting_go()"
    return {
        "sqlite": tuple(each.replace(sqlite, gated) for each in statements["sqlite"]),
        "postgresql": (
            _LETTING_GO,
            *(each.replace(change, "BEFORE DELETE ON audit_entry ") for each in statements["postgresql"]),
            update,
        ),
    }


#: by dialect, the statements that make the tables insert-only, in order; a migration executes them after the tables
TRIGGERS: dict[str, tuple[str, ...]] = _letting_go(insert_only(_TABLES))


def install(triggers: Mapping[str, tuple[str, ...]], *models: type[Base]) -> None:
    """Let tables that are made without a migration have their triggers."""

    def after(table: sa.Table, connection: sa.Connection, **_: object) -> None:
        for statement in triggers[connection.dialect.name]:
            if statement.startswith("CREATE OR REPLACE FUNCTION") or f" ON {table.name} " in statement:
                connection.exec_driver_sql(statement)

    for model in models:
        sa.event.listen(model.__table__, "after_create", after)


install(TRIGGERS, EntryRow, TileRow, CheckpointRow, StampRow)
