"""The attribute certificate that somebody signed under, kept beside her signature."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("document_signature", sa.Column("attributes", sa.LargeBinary(), nullable=True))
