"""Pairs of certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_pair",
        sa.Column("reference", sa.String(length=180), nullable=False),
        sa.Column("signing", sa.String(length=40), nullable=False),
        sa.Column("encryption", sa.String(length=40), nullable=False),
        sa.Column("user_key", sa.String(length=26), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("holder_kind", sa.String(length=12), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_by", sa.String(length=180), nullable=True),
        sa.ForeignKeyConstraint(
            ["encryption"], ["ca_certificate.serial"], name=op.f("fk_ca_pair_encryption_ca_certificate")
        ),
        sa.ForeignKeyConstraint(
            ["signing"], ["ca_certificate.serial"], name=op.f("fk_ca_pair_signing_ca_certificate")
        ),
        sa.ForeignKeyConstraint(
            ["superseded_by"], ["ca_pair.reference"], name=op.f("fk_ca_pair_superseded_by_ca_pair")
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_ca_pair")),
        sa.UniqueConstraint("encryption", name=op.f("uq_ca_pair_encryption")),
        sa.UniqueConstraint("signing", name=op.f("uq_ca_pair_signing")),
        sa.UniqueConstraint("user_key", name=op.f("uq_ca_pair_user_key")),
    )
    op.create_index(op.f("ix_ca_pair_holder"), "ca_pair", ["holder"], unique=False)
    op.create_index(op.f("ix_ca_pair_organ"), "ca_pair", ["organ"], unique=False)
