"""Seals: their register, whom each is bound to, and the register of their uses."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seal",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("sort", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=True),
        sa.Column("keeper", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("replaces", sa.String(length=40), nullable=True),
        sa.Column("changed", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["replaces"], ["seal.id"], name=op.f("fk_seal_replaces_seal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
    )
    op.create_index("ix_seal_organ_id", "seal", ["organ", "id"])
    op.create_table(
        "seal_binding",
        sa.Column("seal", sa.String(length=40), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("suite", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal.id"], name=op.f("fk_seal_binding_seal_seal")),
        sa.PrimaryKeyConstraint("seal", "fingerprint", name=op.f("pk_seal_binding")),
    )
    op.create_table(
        "seal_use",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("seal", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("approval", sa.String(length=40), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("impressions", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=True),
        sa.Column("begun", Instant(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("finished", Instant(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("sm3", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["seal"], ["seal.id"], name=op.f("fk_seal_use_seal_seal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_use")),
        sa.UniqueConstraint("seal", "approval", name=op.f("uq_seal_use_seal_approval")),
    )
    op.create_index("ix_seal_use_organ_id", "seal_use", ["organ", "id"])
    op.create_index("ix_seal_use_subject", "seal_use", ["subject"])
