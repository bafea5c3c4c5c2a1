"""Applications for certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_registration",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("profile", sa.String(length=60), nullable=False),
        sa.Column("csr", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("holder_kind", sa.String(length=12), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=True),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("applicant", sa.String(length=80), nullable=False),
        sa.Column("submitted", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vetted_by", sa.String(length=80), nullable=True),
        sa.Column("vetted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("serial", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["serial"], ["ca_certificate.serial"], name=op.f("fk_ca_registration_serial_ca_certificate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_registration")),
        sa.UniqueConstraint("applicant", "reference", name=op.f("uq_ca_registration_applicant_reference")),
        sa.UniqueConstraint("serial", name=op.f("uq_ca_registration_serial")),
    )
    with op.batch_alter_table("ca_registration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ca_registration_holder"), ["holder"], unique=False)
        batch_op.create_index(batch_op.f("ix_ca_registration_organ"), ["organ"], unique=False)
        batch_op.create_index("ix_ca_registration_state", ["state", "expires"], unique=False)
