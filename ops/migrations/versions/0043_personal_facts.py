"""Personal facts of entries: what opens their commitments stands beside them, and what was erased is written down."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_opening_no_update BEFORE UPDATE ON audit_opening BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_opening_no_delete BEFORE DELETE ON audit_opening WHEN NOT EXISTS (SELECT 1 FROM audit_erased WHERE audit_erased."index" = OLD."index" AND audit_erased.name = OLD.name) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_opening_no_replace BEFORE INSERT ON audit_opening WHEN EXISTS (SELECT 1 FROM audit_opening WHERE "index" = NEW."index" AND name = NEW.name) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_erased_no_update BEFORE UPDATE ON audit_erased BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_erased_no_delete BEFORE DELETE ON audit_erased BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_erased_no_replace BEFORE INSERT ON audit_erased WHEN EXISTS (SELECT 1 FROM audit_erased WHERE "index" = NEW."index" AND name = NEW.name) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_erasing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM audit_erased WHERE audit_erased."index" = OLD."index" AND audit_erased.name = OLD.name) THEN RETURN OLD; END IF; RAISE EXCEPTION 'the audit log is insert-only'; END $$""",
        """CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is insert-only'; END $$""",
        """CREATE TRIGGER audit_opening_no_change BEFORE UPDATE ON audit_opening FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_opening_no_truncate BEFORE TRUNCATE ON audit_opening FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_erased_no_change BEFORE UPDATE OR DELETE ON audit_erased FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_erased_no_truncate BEFORE TRUNCATE ON audit_erased FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_opening_erased BEFORE DELETE ON audit_opening FOR EACH ROW EXECUTE FUNCTION audit_erasing()""",
    ),
}


def upgrade() -> None:
    op.add_column("outbox", sa.Column("personal", sa.LargeBinary(), nullable=True))
    op.create_table(
        "audit_opening",
        sa.Column("index", _INDEX, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", "name", name=op.f("pk_audit_opening")),
    )
    op.create_index(op.f("ix_audit_opening_person"), "audit_opening", ["person"])
    op.create_table(
        "audit_erased",
        sa.Column("index", _INDEX, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("erasure", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("index", "name", name=op.f("pk_audit_erased")),
    )
    op.create_index(op.f("ix_audit_erased_erasure"), "audit_erased", ["erasure"])
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
