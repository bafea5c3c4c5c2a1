"""Signing keys of people: the keys, the locks on them, and what each has signed."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kms_holder_key",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("suite", sa.String(length=16), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("standing", sa.String(length=90), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_holder_key")),
        sa.UniqueConstraint("standing", name=op.f("uq_kms_holder_key_standing")),
    )
    op.create_index("ix_kms_holder_key_holder", "kms_holder_key", ["holder", "id"])
    op.create_table(
        "kms_holder_lock",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("derivation", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kek", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key"], ["kms_holder_key.id"], name=op.f("fk_kms_holder_lock_key_kms_holder_key")
        ),
        sa.ForeignKeyConstraint(
            ["kek"], ["kms_generation.open_label"], name=op.f("fk_kms_holder_lock_kek_kms_generation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_holder_lock")),
        sa.UniqueConstraint("key", "way", name=op.f("uq_kms_holder_lock_key_way")),
    )
    op.create_index("ix_kms_holder_lock_kek", "kms_holder_lock", ["kek", "id"])
    op.create_table(
        "kms_holder_use",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=220), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["key"], ["kms_holder_key.id"], name=op.f("fk_kms_holder_use_key_kms_holder_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_holder_use")),
    )
    op.create_index("ix_kms_holder_use_key", "kms_holder_use", ["key", "id"])
