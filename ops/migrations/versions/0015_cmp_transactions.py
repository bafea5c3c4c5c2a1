"""Transactions of CMP."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_cmp_transaction",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=True),
        sa.Column("first_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("last_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=True),
        sa.Column("confirm_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_cmp_transaction")),
    )
    for column in ("stage", "confirm_until"):
        op.create_index(op.f(f"ix_ca_cmp_transaction_{column}"), "ca_cmp_transaction", [column], unique=False)
