"""Generations of authorities, certificates taken in from outside, ceremonies."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # columns and indexes are added in place: on SQLite a rebuilt table would break those that refer to it
    op.add_column("ca_authority", sa.Column("line", sa.String(length=60), nullable=False, server_default=""))
    op.add_column("ca_authority", sa.Column("generation", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("ca_authority", sa.Column("active_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ca_authority", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ca_authority", sa.Column("adopted", sa.String(length=64), nullable=True))
    op.execute("UPDATE ca_authority SET line = name")
    op.create_index("ux_ca_authority_generation", "ca_authority", ["line", "generation"], unique=True)
    op.create_table(
        "ca_taken_certificate",
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("use", sa.String(length=8), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ceremony", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["authority"], ["ca_authority.name"], name=op.f("fk_ca_taken_certificate_authority_ca_authority")
        ),
        sa.PrimaryKeyConstraint("authority", "fingerprint", name=op.f("pk_ca_taken_certificate")),
    )
    op.create_table(
        "ca_ceremony",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("begun", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by", sa.String(length=80), nullable=False),
        sa.Column("approvals", sa.JSON(), nullable=False),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ca_ceremony")),
    )
