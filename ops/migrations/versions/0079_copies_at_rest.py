"""What could not be taken to another site, and until when it is not tried again."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "distribution_rest",
        sa.Column("flow", sa.String(length=60), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("flow", "item", "organ", name=op.f("pk_distribution_rest")),
    )
