"""Service keys: named keys that systems use, their versions, and how often each version has encrypted."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kms_service_key",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=24), nullable=False),
        sa.Column("suite", sa.String(length=16), nullable=False),
        sa.Column("operations", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=8), nullable=False),
        sa.Column("condition", sa.String(length=12), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("min_decrypt", sa.Integer(), nullable=False),
        sa.Column("min_encrypt", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroy_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposal", sa.String(length=26), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_service_key")),
        sa.UniqueConstraint("name", name=op.f("uq_kms_service_key_name")),
    )
    op.create_index("ix_kms_service_key_owner", "kms_service_key", ["owner", "name"])
    op.create_index("ix_kms_service_key_destroy_at", "kms_service_key", ["destroy_at"])
    op.create_table(
        "kms_service_key_version",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=True),
        sa.Column("kek", sa.String(length=64), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("blob", sa.LargeBinary(), nullable=True),
        sa.Column("destroyed", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["key"], ["kms_service_key.id"], name=op.f("fk_kms_service_key_version_key_kms_service_key")
        ),
        sa.ForeignKeyConstraint(
            ["kek"],
            ["kms_generation.open_label"],
            name=op.f("fk_kms_service_key_version_kek_kms_generation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_service_key_version")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_kms_service_key_version_key_version")),
    )
    op.create_index("ix_kms_service_key_version_kek", "kms_service_key_version", ["kek", "id"])
    op.create_table(
        "kms_service_key_sealed",
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_kms_service_key_sealed")),
    )
    op.create_index("ix_kms_service_key_sealed_number", "kms_service_key_sealed", ["number"])
    op.create_table(
        "kms_service_key_import",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("method", sa.String(length=24), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("kek", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["kek"],
            ["kms_generation.open_label"],
            name=op.f("fk_kms_service_key_import_kek_kms_generation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_service_key_import")),
    )
    op.create_index("ix_kms_service_key_import_expires", "kms_service_key_import", ["expires"])
