"""What a signature over messages covers: those on record are over their last header (`exchange.roll`)."""

import sqlalchemy as sa
from alembic import op

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exchange_seal", sa.Column("format", sa.Integer(), nullable=False, server_default="1"))
