"""Lists for bulk enrolment that were handed in by a page, with their files and what the dry run said of them."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_batch_list",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("officer", sa.String(length=80), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("by_command", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("started", Instant(), nullable=True),
        sa.Column("ended", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_batch_list")),
    )
    op.create_index(op.f("ix_ca_batch_list_organ"), "ca_batch_list", ["organ"])
    op.create_index(op.f("ix_ca_batch_list_state"), "ca_batch_list", ["state"])
    op.create_table(
        "ca_batch_list_file",
        sa.Column("list", sa.String(length=26), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("refusals", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list"], ["ca_batch_list.id"], name=op.f("fk_ca_batch_list_file_list_ca_batch_list")
        ),
        sa.PrimaryKeyConstraint("list", name=op.f("pk_ca_batch_list_file")),
    )
