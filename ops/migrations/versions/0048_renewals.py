"""What is in keeping, and the timestamps by which proofs are renewed."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_kept_no_update BEFORE UPDATE ON audit_kept BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_kept_no_delete BEFORE DELETE ON audit_kept BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_kept_no_replace BEFORE INSERT ON audit_kept WHEN EXISTS (SELECT 1 FROM audit_kept WHERE kind = NEW.kind AND name = NEW.name) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_link_no_update BEFORE UPDATE ON audit_link BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_link_no_delete BEFORE DELETE ON audit_link BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_link_no_replace BEFORE INSERT ON audit_link WHEN EXISTS (SELECT 1 FROM audit_link WHERE number = NEW.number) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_branch_no_update BEFORE UPDATE ON audit_branch BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_branch_no_delete BEFORE DELETE ON audit_branch BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_branch_no_replace BEFORE INSERT ON audit_branch WHEN EXISTS (SELECT 1 FROM audit_branch WHERE kind = NEW.kind AND name = NEW.name AND position = NEW.position) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
    ),
    "postgresql": (
        """CREATE TRIGGER audit_kept_no_change BEFORE UPDATE OR DELETE ON audit_kept FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_kept_no_truncate BEFORE TRUNCATE ON audit_kept FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_link_no_change BEFORE UPDATE OR DELETE ON audit_link FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_link_no_truncate BEFORE TRUNCATE ON audit_link FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_branch_no_change BEFORE UPDATE OR DELETE ON audit_branch FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_branch_no_truncate BEFORE TRUNCATE ON audit_branch FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    ),
}


def upgrade() -> None:
    op.create_table(
        "audit_kept",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("file", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_audit_kept")),
    )
    op.create_table(
        "audit_link",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.Column("algorithms", sa.String(length=400), nullable=False),
        sa.Column("hash", sa.String(length=16), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_link")),
    )
    for column in ("algorithms", "ends", "hash"):
        op.create_index(op.f(f"ix_audit_link_{column}"), "audit_link", [column])
    op.create_table(
        "audit_branch",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("link", _NUMBER, nullable=False),
        sa.Column("opens", sa.Boolean(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"], ["audit_link.number"], name=op.f("fk_audit_branch_link_audit_link")
        ),
        sa.PrimaryKeyConstraint("kind", "name", "position", name=op.f("pk_audit_branch")),
    )
    op.create_index(op.f("ix_audit_branch_link"), "audit_branch", ["link"])
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
