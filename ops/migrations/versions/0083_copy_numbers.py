"""The register of the numbered copies of classified documents."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_numbered_copy",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("medium", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reader", sa.String(length=100), nullable=True),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("witness", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_numbered_copy_document_document")
        ),
        sa.PrimaryKeyConstraint("document", "number", name=op.f("pk_document_numbered_copy")),
    )
