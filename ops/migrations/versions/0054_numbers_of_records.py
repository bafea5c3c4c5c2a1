"""How far each source has numbered its records; the numbers of records that stand in archives."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outbox_source",
        sa.Column("source", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_outbox_source")),
    )
    op.add_column("audit_sealed", sa.Column("source", sa.String(length=40), nullable=True))
    op.add_column("audit_sealed", sa.Column("number", _NUMBER, nullable=True))
