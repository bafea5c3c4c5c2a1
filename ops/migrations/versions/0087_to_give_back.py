"""What an organ is to give back is found by an index of just that, whatever the database knows of how many there are."""

import sqlalchemy as sa
from alembic import op

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_distribution_copy_recalled", "distribution_copy")
    op.create_index(
        "ix_distribution_copy_recalled",
        "distribution_copy",
        ["organ", "flow", "state", "item"],
        sqlite_where=sa.text("recalled_at IS NOT NULL"),
        postgresql_where=sa.text("recalled_at IS NOT NULL"),
    )
