"""What an organ has not signed for, or not registered, is found in order by an index of just that."""

import sqlalchemy as sa
from alembic import op

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_distribution_copy_unregistered",
        "distribution_copy",
        ["organ", "flow", "state", "item"],
        sqlite_where=sa.text("registered_at IS NULL"),
        postgresql_where=sa.text("registered_at IS NULL"),
    )
    op.drop_index("ix_distribution_copy_organ_registered", "distribution_copy")
