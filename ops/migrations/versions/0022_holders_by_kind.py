"""Holders are found by identifier and kind, so that no two kinds share an identifier."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_ca_certificate_holder", table_name="ca_certificate")
    op.create_index("ix_ca_certificate_holder", "ca_certificate", ["holder", "holder_kind"])
