"""Versions of the policies, what decisions rested on, and grants."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authz_policy_version",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy_set", sa.String(length=64), nullable=False),
        sa.Column("based_on", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposal", sa.String(length=64), nullable=True),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_force_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["policy_set"],
            ["authz_policy_set.hash"],
            name=op.f("fk_authz_policy_version_policy_set_authz_policy_set"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_authz_policy_version")),
    )
    op.create_table(
        "authz_entities",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_authz_entities")),
    )
    op.create_table(
        "authz_grant",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("template", sa.String(length=100), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=400), nullable=False),
        sa.Column("granted_by", sa.String(length=64), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposal", sa.String(length=64), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.Column("revoked_because", sa.String(length=400), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_grant")),
    )
    op.create_index(op.f("ix_authz_grant_holder"), "authz_grant", ["holder"])
    op.create_index(op.f("ix_authz_grant_organ"), "authz_grant", ["organ"])
    op.create_index(op.f("ix_authz_grant_valid_to"), "authz_grant", ["valid_to"])
