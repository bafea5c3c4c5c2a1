"""How far each receiver of audit copies is, what it acknowledged, and operational lines that were dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_cursor",
        sa.Column("receiver", sa.String(length=40), nullable=False),
        sa.Column("acknowledged", _INDEX, nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(length=40), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=80), nullable=True),
        sa.Column("alarmed", sa.Boolean(), nullable=False),
        sa.Column("reconciled", _INDEX, nullable=False),
        sa.Column("reconciled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("differing", _INDEX, nullable=True),
        sa.PrimaryKeyConstraint("receiver", name=op.f("pk_audit_cursor")),
    )
    op.create_table(
        "audit_copy",
        sa.Column("receiver", sa.String(length=40), nullable=False),
        sa.Column("first", _INDEX, autoincrement=False, nullable=False),
        sa.Column("end", _INDEX, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "first", name=op.f("pk_audit_copy")),
    )
    op.create_table(
        "audit_loss",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("dropped", _INDEX, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alarmed", _INDEX, nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_audit_loss")),
    )
