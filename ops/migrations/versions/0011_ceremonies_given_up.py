"""Ceremonies that were given up."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ca_ceremony", sa.Column("given_up_for", sa.String(length=64), nullable=True))
