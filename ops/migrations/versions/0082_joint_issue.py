"""Documents that several organs issue together, and organs that countersign; ranks that may issue jointly, as the regulation has it."""

from datetime import date

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None

_RANKS = ("province", "city", "county", "township")


def upgrade() -> None:
    with op.batch_alter_table("document") as batch_op:
        for name in ("joint", "consulted"):
            batch_op.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("within_amount", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("within_unit", sa.String(length=20), nullable=True))
    op.create_table(
        "document_countersigner",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("part", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_at", Instant(), nullable=True),
        sa.Column("signer", sa.String(length=80), nullable=True),
        sa.Column("signer_name", sa.String(length=80), nullable=True),
        sa.Column("entry", sa.String(length=40), nullable=True),
        sa.Column("urged", sa.Integer(), nullable=False),
        sa.Column("urged_at", Instant(), nullable=True),
        sa.Column("seal_width", sa.Integer(), nullable=True),
        sa.Column("seal_box", sa.JSON(), nullable=True),
        sa.Column("sealed_at", Instant(), nullable=True),
        sa.Column("seal", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_countersigner_document_document")
        ),
        sa.PrimaryKeyConstraint("document", "organ", name=op.f("pk_document_countersigner")),
    )
    op.create_index(
        "ix_document_countersigner_organ_document", "document_countersigner", ["organ", "document"]
    )
    rules = op.create_table(
        "document_joint_rule",
        sa.Column("rank", sa.String(length=40), nullable=False),
        sa.Column("other", sa.String(length=40), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("rank", "other", "since", name=op.f("pk_document_joint_rule")),
    )
    op.bulk_insert(
        rules,
        [
            {
                "rank": rank,
                "other": rank,
                "since": date(2012, 7, 1),
                "until": None,
                "basis": "党政机关公文处理工作条例第十七条",
            }
            for rank in (*_RANKS, *(f"department/{above}" for above in _RANKS))
        ],
    )
