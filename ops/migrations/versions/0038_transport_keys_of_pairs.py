"""Where the encryption key of a pair is delivered to, when its signing key only signs."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ca_pair", sa.Column("transport", sa.LargeBinary(), nullable=True))
