"""Attribute certificates, and the lists of those taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = "ca_attribute_certificate"
    op.create_table(
        table,
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("authority", sa.String(length=80), nullable=False),
        sa.Column("signer", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("certificate", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("tbs", sa.LargeBinary(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revocable", sa.Boolean(), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.CheckConstraint("(state = 'issued') = (der IS NOT NULL)", name=op.f(f"ck_{table}_issued_has_der")),
        sa.ForeignKeyConstraint(
            ["signer"], ["ca_certificate.serial"], name=op.f(f"fk_{table}_signer_ca_certificate")
        ),
        sa.ForeignKeyConstraint(
            ["certificate"], ["ca_certificate.serial"], name=op.f(f"fk_{table}_certificate_ca_certificate")
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("fingerprint", name=op.f(f"uq_{table}_fingerprint")),
    )
    opened = sa.text("state != 'abandoned'")
    op.create_index(
        f"ux_{table}_reference",
        table,
        ["reference"],
        unique=True,
        sqlite_where=opened,
        postgresql_where=opened,
    )
    op.create_index(f"ix_{table}_authority", table, ["authority", "revoked_at"])
    op.create_index(f"ix_{table}_organ", table, ["organ", "serial"])
    op.create_index(op.f(f"ix_{table}_state"), table, ["state"])
    op.create_index(op.f(f"ix_{table}_certificate"), table, ["certificate"])
    op.create_index(op.f(f"ix_{table}_person"), table, ["person"])
    watched = sa.text("revocable AND revoked_at IS NULL")
    op.create_index(
        f"ix_{table}_watched",
        table,
        ["not_after", "serial"],
        sqlite_where=watched,
        postgresql_where=watched,
    )
    op.create_table(
        "ca_attribute_list",
        sa.Column("authority", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("this_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("authority", name=op.f("pk_ca_attribute_list")),
    )
