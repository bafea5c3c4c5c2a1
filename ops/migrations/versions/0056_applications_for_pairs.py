"""Applications for a pair of certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "ca_registration", sa.Column("pair", sa.Boolean(), nullable=False, server_default=sa.false())
    )
