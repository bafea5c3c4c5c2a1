"""Tenants: organs that run their own affairs inside an installation, and which organs lie in one."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # added in place: a copied table would lose the triggers that decisions rest on
    op.add_column("authz_organ", sa.Column("tenant", sa.String(length=64), nullable=True))
    op.create_index("ix_authz_organ_tenant", "authz_organ", ["tenant"])
    op.add_column("audit_question", sa.Column("tenant", sa.String(length=64), nullable=True))
    op.create_table(
        "authz_tenant",
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("mark", sa.String(length=16), nullable=False),
        sa.Column("proposal", sa.String(length=64), nullable=False),
        sa.Column("ended", Instant(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["organ"], ["authz_organ.id"], name=op.f("fk_authz_tenant_organ_authz_organ")
        ),
        sa.PrimaryKeyConstraint("organ", "since", name=op.f("pk_authz_tenant")),
    )
