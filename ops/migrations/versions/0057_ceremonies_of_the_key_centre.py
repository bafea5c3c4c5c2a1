"""Ceremonies of the key centre: what was held, the vault token, and the copies of keys that it passes on."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kms_ceremony",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("begun", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by", sa.String(length=80), nullable=False),
        sa.Column("proposal", sa.String(length=26), nullable=True),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_for", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_kms_ceremony")),
    )
    op.create_table(
        "kms_vault",
        sa.Column("serial", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("receiver", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_kms_vault")),
    )
    op.create_table(
        "kms_copy",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("vault", sa.String(length=16), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=True),
        sa.Column("transport", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["kms_key.id"], name=op.f("fk_kms_copy_id_kms_key")),
        sa.ForeignKeyConstraint(["vault"], ["kms_vault.serial"], name=op.f("fk_kms_copy_vault_kms_vault")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_copy")),
    )
