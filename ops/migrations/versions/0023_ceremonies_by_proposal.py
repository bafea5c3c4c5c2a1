"""Ceremonies are held by proposal; those held before, and the founding, have none."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ca_ceremony", sa.Column("proposal", sa.String(length=26), nullable=True))
