"""Keys that are never certified again; those revoked as compromised before are the first."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_blocked_key",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ca_blocked_key")),
    )
    op.execute(
        sa.text(
            """INSERT INTO ca_blocked_key (digest, reason, since, "by", note)
            SELECT spki_digest, 'keyCompromise', MIN(revoked_at), 'system', ''
            FROM ca_certificate WHERE reason = 'keyCompromise' GROUP BY spki_digest"""
        )
    )
