"""A recovery by judicial order may say until when the holder is not told."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("kms_recovered_key") as batch:
        batch.add_column(sa.Column("withheld_until", sa.DateTime(timezone=True), nullable=True))
