"""The post in which an order was signed stands beside the signature: of one organ, and of each that issues it jointly."""

import sqlalchemy as sa
from alembic import op

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("document", "document_countersigner"):
        op.add_column(table, sa.Column("signer_title", sa.String(length=400), nullable=True))
