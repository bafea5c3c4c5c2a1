"""Batches of enrolment."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_batch",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("officer", sa.String(length=80), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_batch")),
    )
    with op.batch_alter_table("ca_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ca_batch_officer"), ["officer"], unique=False)

    op.create_table(
        "ca_batch_row",
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=True),
        sa.Column("code", sa.String(length=60), nullable=True),
        sa.Column("reason_zh", sa.Text(), nullable=True),
        sa.Column("reason_en", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch"], ["ca_batch.id"], name=op.f("fk_ca_batch_row_batch_ca_batch")),
        sa.PrimaryKeyConstraint("batch", "number", name=op.f("pk_ca_batch_row")),
    )
    with op.batch_alter_table("ca_batch_row", schema=None) as batch_op:
        batch_op.create_index("ix_ca_batch_row_state", ["batch", "state", "number"], unique=False)
