"""Grants over one thing alone, and tokens of systems that are for one service and may be bound to a certificate."""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authz_grant", sa.Column("resource", sa.String(length=120), nullable=True))
    op.create_index(op.f("ix_authz_grant_resource"), "authz_grant", ["resource"])
    # until now every such token read or fed the directory
    op.add_column(
        "authz_oidc_service_token",
        sa.Column("audience", sa.String(length=16), nullable=False, server_default="scim"),
    )
    op.add_column("authz_oidc_service_token", sa.Column("certificate", sa.String(length=64), nullable=True))
