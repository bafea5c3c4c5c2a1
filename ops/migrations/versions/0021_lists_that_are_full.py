"""Where the lists begin that new certificates of an authority name."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ca_authority", sa.Column("lists_full", sa.Integer(), server_default="0", nullable=False))
    op.add_column("ca_authority", sa.Column("lists_opened", sa.DateTime(timezone=True), nullable=True))
