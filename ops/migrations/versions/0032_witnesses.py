"""Witnesses: what they said of the log, and what this site said of others' logs."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

#: what was said is never changed, and what is witnessed moves forward only
_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_policy_no_update BEFORE UPDATE ON audit_policy BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_policy_no_delete BEFORE DELETE ON audit_policy BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_policy_no_replace BEFORE INSERT ON audit_policy WHEN EXISTS (SELECT 1 FROM audit_policy WHERE number = NEW.number) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_cosignature_no_update BEFORE UPDATE ON audit_cosignature BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_cosignature_no_delete BEFORE DELETE ON audit_cosignature BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_cosignature_no_replace BEFORE INSERT ON audit_cosignature WHEN EXISTS (SELECT 1 FROM audit_cosignature WHERE tree = NEW.tree AND size = NEW.size AND name = NEW.name AND key_id = NEW.key_id AND at = NEW.at) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_contradiction_no_update BEFORE UPDATE ON audit_contradiction BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_contradiction_no_delete BEFORE DELETE ON audit_contradiction BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_contradiction_no_replace BEFORE INSERT ON audit_contradiction WHEN EXISTS (SELECT 1 FROM audit_contradiction WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_suspect_no_update BEFORE UPDATE ON audit_suspect BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_suspect_no_delete BEFORE DELETE ON audit_suspect BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_suspect_no_replace BEFORE INSERT ON audit_suspect WHEN EXISTS (SELECT 1 FROM audit_suspect WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_witnessed_no_return BEFORE UPDATE ON audit_witnessed WHEN NEW.size < OLD.size OR NEW.origin <> OLD.origin BEGIN SELECT RAISE(ABORT, 'what is witnessed only moves forward'); END""",
        """CREATE TRIGGER audit_witnessed_no_delete BEFORE DELETE ON audit_witnessed BEGIN SELECT RAISE(ABORT, 'what is witnessed only moves forward'); END""",
    ),
    "postgresql": (
        """CREATE TRIGGER audit_policy_no_change BEFORE UPDATE OR DELETE ON audit_policy FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_policy_no_truncate BEFORE TRUNCATE ON audit_policy FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_cosignature_no_change BEFORE UPDATE OR DELETE ON audit_cosignature FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_cosignature_no_truncate BEFORE TRUNCATE ON audit_cosignature FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_contradiction_no_change BEFORE UPDATE OR DELETE ON audit_contradiction FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_contradiction_no_truncate BEFORE TRUNCATE ON audit_contradiction FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_suspect_no_change BEFORE UPDATE OR DELETE ON audit_suspect FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_suspect_no_truncate BEFORE TRUNCATE ON audit_suspect FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE OR REPLACE FUNCTION audit_forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'what is witnessed only moves forward'; END $$""",
        """CREATE TRIGGER audit_witnessed_no_return BEFORE UPDATE ON audit_witnessed FOR EACH ROW WHEN (NEW.size < OLD.size OR NEW.origin <> OLD.origin) EXECUTE FUNCTION audit_forward()""",
        """CREATE TRIGGER audit_witnessed_no_delete BEFORE DELETE ON audit_witnessed FOR EACH ROW EXECUTE FUNCTION audit_forward()""",
        """CREATE TRIGGER audit_witnessed_no_truncate BEFORE TRUNCATE ON audit_witnessed FOR EACH STATEMENT EXECUTE FUNCTION audit_forward()""",
    ),
}
_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_policy",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("policy", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposal", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_policy")),
    )
    op.create_index(op.f("ix_audit_policy_tree"), "audit_policy", ["tree"])
    op.create_table(
        "audit_cosignature",
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("size", _INDEX, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tree", "size", "name", "key_id", "at", name=op.f("pk_audit_cosignature")),
    )
    op.create_table(
        "audit_asked",
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("size", _INDEX, nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("tree", "name", "key_id", name=op.f("pk_audit_asked")),
    )
    op.create_table(
        "audit_contradiction",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("witness", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("size", _INDEX, nullable=False),
        sa.Column("theirs", _INDEX, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_contradiction")),
    )
    op.create_index(op.f("ix_audit_contradiction_origin"), "audit_contradiction", ["origin"])
    op.create_table(
        "audit_witnessed_log",
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposal", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_audit_witnessed_log")),
    )
    op.create_table(
        "audit_witnessed",
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("size", _INDEX, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_audit_witnessed")),
        sa.UniqueConstraint("address", name=op.f("uq_audit_witnessed_address")),
    )
    op.create_table(
        "audit_suspect",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("held", _INDEX, nullable=False),
        sa.Column("size", _INDEX, nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("submission", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_suspect")),
    )
    op.create_index(op.f("ix_audit_suspect_origin"), "audit_suspect", ["origin"])
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
