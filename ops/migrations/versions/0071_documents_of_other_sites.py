"""Documents that came from other sites, and what their senders were told."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_arrival",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("refused", sa.String(length=2000), nullable=True),
        sa.Column("told", sa.String(length=20), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("document", "organ", name=op.f("pk_document_arrival")),
    )
