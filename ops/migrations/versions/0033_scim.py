"""Systems that read and feed the directory: their tokens, their names for things, and what was removed for them."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authz_person", sa.Column("entered_by", sa.String(length=64), nullable=True))
    op.create_table(
        "authz_oidc_service_token",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_authz_oidc_service_token")),
    )
    op.create_index(op.f("ix_authz_oidc_service_token_client"), "authz_oidc_service_token", ["client"])
    op.create_index(op.f("ix_authz_oidc_service_token_expires"), "authz_oidc_service_token", ["expires"])
    op.create_table(
        "authz_scim_external",
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("client", "kind", "subject", name=op.f("pk_authz_scim_external")),
        sa.UniqueConstraint("client", "kind", "external_id", name="uq_authz_scim_external_named"),
    )
    op.create_table(
        "authz_scim_removed",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"], ["authz_person.id"], name=op.f("fk_authz_scim_removed_person_authz_person")
        ),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_authz_scim_removed")),
    )
