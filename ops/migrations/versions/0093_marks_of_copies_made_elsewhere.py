"""What stands on the copies that are made at another site than the document was issued at, beneath the number of the copy that they are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("document_numbered_copy", sa.Column("mark", sa.String(length=200), nullable=True))
    op.add_column("document_arrival", sa.Column("copy_mark", sa.String(length=200), nullable=True))
