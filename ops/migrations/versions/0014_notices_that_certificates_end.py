"""Notices that certificates end."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_notice",
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("given", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["serial"], ["ca_certificate.serial"], name=op.f("fk_ca_notice_serial_ca_certificate")
        ),
        sa.PrimaryKeyConstraint("serial", "days", name=op.f("pk_ca_notice")),
    )
