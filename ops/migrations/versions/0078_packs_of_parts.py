"""Where the small parts of a message lie that were put on disk with those of others."""

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # not rebuilt, or the triggers that keep messages unchanged would go with the old table
    op.add_column("exchange_message", sa.Column("pack", sa.String(length=40), nullable=True))
    op.add_column(
        "exchange_message",
        sa.Column("pack_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    op.create_index(op.f("ix_exchange_message_pack"), "exchange_message", ["pack"])
