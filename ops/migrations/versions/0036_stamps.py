"""Timestamps over the log's checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_stamp_no_update BEFORE UPDATE ON audit_stamp BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_stamp_no_delete BEFORE DELETE ON audit_stamp BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_stamp_no_replace BEFORE INSERT ON audit_stamp WHEN EXISTS (SELECT 1 FROM audit_stamp WHERE tree = NEW.tree AND size = NEW.size) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
    ),
    "postgresql": (
        """CREATE TRIGGER audit_stamp_no_change BEFORE UPDATE OR DELETE ON audit_stamp FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_stamp_no_truncate BEFORE TRUNCATE ON audit_stamp FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    ),
}


def upgrade() -> None:
    op.create_table(
        "audit_stamp",
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column(
            "size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tree", "size", name=op.f("pk_audit_stamp")),
    )
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
