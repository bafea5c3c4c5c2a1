"""What of urging and of calling copies in has been carried to other sites."""

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None
#: every row says from now on what of its urging was carried
restates = {"distribution_copy": ()}


def upgrade() -> None:
    with op.batch_alter_table("distribution_copy") as batch_op:
        batch_op.add_column(
            sa.Column("urges_carried", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        batch_op.add_column(
            sa.Column("recall_carried", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    # what was urged before could not be told; and the tables have no defaults of their own
    op.execute(sa.text("UPDATE distribution_copy SET urges_carried = urged"))
    with op.batch_alter_table("distribution_copy") as batch_op:
        batch_op.alter_column("urges_carried", server_default=None)
        batch_op.alter_column("recall_carried", server_default=None)
    op.create_index(
        "ix_distribution_copy_called_in",
        "distribution_copy",
        ["flow", "recall_carried"],
        sqlite_where=sa.text("recalled_at IS NOT NULL"),
        postgresql_where=sa.text("recalled_at IS NOT NULL"),
    )
