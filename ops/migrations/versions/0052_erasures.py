"""Erasures of personal data and the orders to keep it: what was decided about whom, on what ground."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_erasure_no_update BEFORE UPDATE ON audit_erasure BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_erasure_no_delete BEFORE DELETE ON audit_erasure BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_erasure_no_replace BEFORE INSERT ON audit_erasure WHEN EXISTS (SELECT 1 FROM audit_erasure WHERE proposal = NEW.proposal) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_hold_no_update BEFORE UPDATE ON audit_hold BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_hold_no_delete BEFORE DELETE ON audit_hold BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_hold_no_replace BEFORE INSERT ON audit_hold WHEN EXISTS (SELECT 1 FROM audit_hold WHERE proposal = NEW.proposal) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
    ),
    "postgresql": (
        """CREATE TRIGGER audit_erasure_no_change BEFORE UPDATE OR DELETE ON audit_erasure FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_erasure_no_truncate BEFORE TRUNCATE ON audit_erasure FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_hold_no_change BEFORE UPDATE OR DELETE ON audit_hold FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_hold_no_truncate BEFORE TRUNCATE ON audit_hold FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    ),
}


def upgrade() -> None:
    op.create_table(
        "audit_erasure",
        sa.Column("proposal", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("basis", sa.String(length=400), nullable=False),
        sa.Column("fields", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_audit_erasure")),
    )
    op.create_table(
        "audit_hold",
        sa.Column("proposal", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.String(length=400), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_audit_hold")),
    )
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
