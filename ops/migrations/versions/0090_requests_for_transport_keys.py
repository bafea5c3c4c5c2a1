"""The request by which a signing key names the transport key of its pair is kept with the pair."""

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ca_pair", sa.Column("request", sa.LargeBinary(), nullable=True))
