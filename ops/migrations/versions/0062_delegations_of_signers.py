"""The signed delegation that somebody acted by, kept beside what she signed."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flow_signature", sa.Column("delegation", sa.LargeBinary(), nullable=True))
