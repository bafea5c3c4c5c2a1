"""Certificates on hold."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("ca_certificate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("ca_crl", schema=None) as batch_op:
        batch_op.add_column(sa.Column("holds_ended", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "ca_hold",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["serial"], ["ca_certificate.serial"], name=op.f("fk_ca_hold_serial_ca_certificate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_hold")),
    )
    with op.batch_alter_table("ca_hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ca_hold_serial"), ["serial"], unique=False)
        batch_op.create_index(
            "ux_ca_hold_open",
            ["serial"],
            unique=True,
            sqlite_where=sa.text("ended IS NULL"),
            postgresql_where=sa.text("ended IS NULL"),
        )
