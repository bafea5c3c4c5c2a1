"""How far what waits for a peer has been handed to a carrier that is asked nothing, such as a NATS server."""

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "exchange_courier",
        sa.Column("upto", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
