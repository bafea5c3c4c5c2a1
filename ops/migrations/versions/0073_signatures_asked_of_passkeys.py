"""Signatures that passkeys are asked for, until they answer."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_prepared",
        sa.Column("nonce_hash", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("statement_hash", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("nonce_hash", name=op.f("pk_signing_prepared")),
        info={"housekeeping": True},
    )
    op.create_index("ix_signing_prepared_expires", "signing_prepared", ["expires"])
