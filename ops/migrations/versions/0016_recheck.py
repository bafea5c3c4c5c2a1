"""The re-check of what is stored."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_recheck",
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("cursor", sa.String(length=120), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_ca_recheck")),
    )
    op.create_table(
        "ca_recheck_finding",
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("faults", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_ca_recheck_finding")),
    )
