"""Encryption keys in escrow, and their recoveries."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kms_user_key",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("standing", sa.String(length=8), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("spki_digest", sa.String(length=64), nullable=False),
        sa.Column("kek", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("holder_kind", sa.String(length=12), nullable=True),
        sa.Column("holder", sa.String(length=80), nullable=True),
        sa.Column("organ", sa.String(length=80), nullable=True),
        sa.Column("given", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(standing = 'standby') = (reference IS NULL)",
            name=op.f("ck_kms_user_key_standby_has_no_holder"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_user_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_kms_user_key_reference")),
        sa.UniqueConstraint("spki_digest", name=op.f("uq_kms_user_key_spki_digest")),
    )
    op.create_index("ix_kms_user_key_holder", "kms_user_key", ["holder_kind", "holder"], unique=False)
    op.create_index("ix_kms_user_key_pool", "kms_user_key", ["standing", "algorithm", "id"], unique=False)
    op.create_table(
        "kms_recovery",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("basis", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_post", sa.String(length=80), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("refused_by", sa.String(length=80), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["key"], ["kms_user_key.id"], name=op.f("fk_kms_recovery_key_kms_user_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_recovery")),
    )
    op.create_index(op.f("ix_kms_recovery_key"), "kms_recovery", ["key"], unique=False)
    op.create_index(op.f("ix_kms_recovery_organ"), "kms_recovery", ["organ"], unique=False)
    op.create_table(
        "kms_recovery_approval",
        sa.Column("recovery", sa.String(length=26), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=True),
        sa.Column("approved", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recovery"], ["kms_recovery.id"], name=op.f("fk_kms_recovery_approval_recovery_kms_recovery")
        ),
        sa.PrimaryKeyConstraint("recovery", "person", name=op.f("pk_kms_recovery_approval")),
        sa.UniqueConstraint("recovery", "post", name=op.f("uq_kms_recovery_approval_recovery_post")),
    )
