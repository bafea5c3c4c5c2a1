"""Periods of retention, sealed archives, and the one way by which an entry's content leaves the log."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DROP = {
    "sqlite": ("DROP TRIGGER audit_entry_no_update",),
    "postgresql": ("DROP TRIGGER audit_entry_no_change ON audit_entry",),
}
_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry WHEN NOT COALESCE(NEW."index" = OLD."index" AND NEW.event = OLD.event AND NEW.leaf_sha256 = OLD.leaf_sha256 AND NEW.leaf_sm3 = OLD.leaf_sm3 AND NEW.time = OLD.time AND NEW.verb = OLD.verb AND NEW.outcome = OLD.outcome AND length(NEW.data) = 0 AND length(OLD.data) > 0 AND NEW.subject = '' AND NEW.actor = '' AND NEW.request IS NULL AND EXISTS (SELECT 1 FROM audit_sealed WHERE audit_sealed."index" = OLD."index" AND audit_sealed.leaf_sha256 = OLD.leaf_sha256 AND audit_sealed.leaf_sm3 = OLD.leaf_sm3), 0) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_retention_no_update BEFORE UPDATE ON audit_retention BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_retention_no_delete BEFORE DELETE ON audit_retention BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_retention_no_replace BEFORE INSERT ON audit_retention WHEN EXISTS (SELECT 1 FROM audit_retention WHERE proposal = NEW.proposal) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_archive_no_update BEFORE UPDATE ON audit_archive BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_archive_no_delete BEFORE DELETE ON audit_archive BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_archive_no_replace BEFORE INSERT ON audit_archive WHEN EXISTS (SELECT 1 FROM audit_archive WHERE name = NEW.name) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_sealed_no_update BEFORE UPDATE ON audit_sealed BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_sealed_no_delete BEFORE DELETE ON audit_sealed BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_sealed_no_replace BEFORE INSERT ON audit_sealed WHEN EXISTS (SELECT 1 FROM audit_sealed WHERE "index" = NEW."index") BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_letting_go() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF COALESCE(NEW."index" = OLD."index" AND NEW.event = OLD.event AND NEW.leaf_sha256 = OLD.leaf_sha256 AND NEW.leaf_sm3 = OLD.leaf_sm3 AND NEW.time = OLD.time AND NEW.verb = OLD.verb AND NEW.outcome = OLD.outcome AND length(NEW.data) = 0 AND length(OLD.data) > 0 AND NEW.subject = '' AND NEW.actor = '' AND NEW.request IS NULL AND EXISTS (SELECT 1 FROM audit_sealed WHERE audit_sealed."index" = OLD."index" AND audit_sealed.leaf_sha256 = OLD.leaf_sha256 AND audit_sealed.leaf_sm3 = OLD.leaf_sm3), false) THEN RETURN NEW; END IF; RAISE EXCEPTION 'the audit log is insert-only'; END $$""",
        """CREATE TRIGGER audit_entry_no_change BEFORE DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_letting_go()""",
        """CREATE TRIGGER audit_retention_no_change BEFORE UPDATE OR DELETE ON audit_retention FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_retention_no_truncate BEFORE TRUNCATE ON audit_retention FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_archive_no_change BEFORE UPDATE OR DELETE ON audit_archive FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_archive_no_truncate BEFORE TRUNCATE ON audit_archive FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_sealed_no_change BEFORE UPDATE OR DELETE ON audit_sealed FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_sealed_no_truncate BEFORE TRUNCATE ON audit_sealed FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    ),
}


def upgrade() -> None:
    op.create_table(
        "audit_retention",
        sa.Column("proposal", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_audit_retention")),
    )
    op.create_table(
        "audit_archive",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", _INDEX, nullable=False),
        sa.Column("first", _INDEX, nullable=False),
        sa.Column("last", _INDEX, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_archive")),
    )
    op.create_table(
        "audit_sealed",
        sa.Column("index", _INDEX, autoincrement=False, nullable=False),
        sa.Column("archive", sa.String(length=40), nullable=False),
        sa.Column("leaf_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_sm3", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["archive"], ["audit_archive.name"], name=op.f("fk_audit_sealed_archive_audit_archive")
        ),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_audit_sealed")),
    )
    op.create_index(op.f("ix_audit_sealed_archive"), "audit_sealed", ["archive"])
    dialect = op.get_bind().dialect.name
    for statement in (*_DROP[dialect], *_TRIGGERS[dialect]):
        op.execute(sa.text(statement))
