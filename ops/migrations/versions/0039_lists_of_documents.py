"""Indexes for lists of an organ's documents and of what it was sent, newest first."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_document_organ_id", "document", ["organ", "id"])
    op.drop_index("ix_document_organ", table_name="document")
    op.create_index("ix_document_delivery_organ_document", "document_delivery", ["organ", "document"])
