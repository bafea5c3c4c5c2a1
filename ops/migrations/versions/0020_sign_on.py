"""One sign-on for other systems: clients, what they were granted, and the keys that sign for it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authz_oidc_assertion",
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("jti_hash", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", "jti_hash", name=op.f("pk_authz_oidc_assertion")),
    )
    op.create_index(
        op.f("ix_authz_oidc_assertion_expires"), "authz_oidc_assertion", ["expires"], unique=False
    )
    op.create_table(
        "authz_oidc_device",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_code_hash", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("polled", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grant", sa.String(length=40), nullable=True),
        sa.Column("refused", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_authz_oidc_device")),
        sa.UniqueConstraint("user_code_hash", name=op.f("uq_authz_oidc_device_user_code_hash")),
    )
    op.create_index(op.f("ix_authz_oidc_device_expires"), "authz_oidc_device", ["expires"], unique=False)
    op.create_table(
        "authz_oidc_grant",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("nonce", sa.String(length=200), nullable=True),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("proved", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_oidc_grant")),
    )
    op.create_index(op.f("ix_authz_oidc_grant_client"), "authz_oidc_grant", ["client"], unique=False)
    op.create_index(op.f("ix_authz_oidc_grant_expires"), "authz_oidc_grant", ["expires"], unique=False)
    op.create_index(op.f("ix_authz_oidc_grant_person"), "authz_oidc_grant", ["person"], unique=False)
    op.create_index(op.f("ix_authz_oidc_grant_session"), "authz_oidc_grant", ["session"], unique=False)
    op.create_table(
        "authz_oidc_key",
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_authz_oidc_key")),
    )
    op.create_table(
        "authz_oidc_logout",
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("session", "client", name=op.f("pk_authz_oidc_logout")),
    )
    op.create_index(op.f("ix_authz_oidc_logout_due"), "authz_oidc_logout", ["due"], unique=False)
    op.create_table(
        "authz_oidc_request",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_oidc_request")),
    )
    op.create_index(op.f("ix_authz_oidc_request_expires"), "authz_oidc_request", ["expires"], unique=False)
    op.create_table(
        "authz_oidc_client",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organ"], ["authz_organ.id"], name=op.f("fk_authz_oidc_client_organ_authz_organ")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_oidc_client")),
    )
    op.create_table(
        "authz_oidc_code",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("grant", sa.String(length=40), nullable=False),
        sa.Column("redirect_uri", sa.String(length=500), nullable=False),
        sa.Column("challenge", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant"], ["authz_oidc_grant.id"], name=op.f("fk_authz_oidc_code_grant_authz_oidc_grant")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_authz_oidc_code")),
    )
    op.create_index(op.f("ix_authz_oidc_code_expires"), "authz_oidc_code", ["expires"], unique=False)
    op.create_index(op.f("ix_authz_oidc_code_grant"), "authz_oidc_code", ["grant"], unique=False)
    op.create_table(
        "authz_oidc_token",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("grant", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant"], ["authz_oidc_grant.id"], name=op.f("fk_authz_oidc_token_grant_authz_oidc_grant")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_authz_oidc_token")),
    )
    op.create_index(op.f("ix_authz_oidc_token_expires"), "authz_oidc_token", ["expires"], unique=False)
    op.create_index(op.f("ix_authz_oidc_token_grant"), "authz_oidc_token", ["grant"], unique=False)
