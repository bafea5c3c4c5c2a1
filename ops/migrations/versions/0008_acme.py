"""ACME: accounts, orders, authorizations, used nonces, renewals that officers want."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_acme_nonce",
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_ca_acme_nonce")),
    )
    op.create_index(op.f("ix_ca_acme_nonce_made"), "ca_acme_nonce", ["made"], unique=False)
    op.create_table(
        "ca_acme_nonce_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kek", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_acme_nonce_key")),
    )
    op.create_table(
        "ca_acme_account",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("thumbprint", sa.String(length=43), nullable=False),
        sa.Column("jwk", sa.JSON(), nullable=False),
        sa.Column("credential", sa.String(length=26), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("contact", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential"], ["ca_credential.id"], name=op.f("fk_ca_acme_account_credential_ca_credential")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_acme_account")),
        sa.UniqueConstraint("thumbprint", name=op.f("uq_ca_acme_account_thumbprint")),
    )
    op.create_index(op.f("ix_ca_acme_account_credential"), "ca_acme_account", ["credential"], unique=False)
    op.create_table(
        "ca_acme_authorization",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("account", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column("challenge", sa.String(length=12), nullable=True),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("validated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["ca_acme_account.id"], name=op.f("fk_ca_acme_authorization_account_ca_acme_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_acme_authorization")),
    )
    op.create_index("ix_ca_acme_authorization_due", "ca_acme_authorization", ["state", "due"], unique=False)
    op.create_index(
        "ix_ca_acme_authorization_name",
        "ca_acme_authorization",
        ["account", "kind", "name", "state"],
        unique=False,
    )
    op.create_table(
        "ca_acme_order",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("account", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("profile", sa.String(length=60), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("authorizations", sa.JSON(), nullable=False),
        sa.Column("replaces", sa.String(length=80), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun", sa.DateTime(timezone=True), nullable=True),
        sa.Column("serial", sa.String(length=40), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "(state = 'valid') = (serial IS NOT NULL)", name=op.f("ck_ca_acme_order_valid_has_serial")
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["ca_acme_account.id"], name=op.f("fk_ca_acme_order_account_ca_acme_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_acme_order")),
        sa.UniqueConstraint("serial", name=op.f("uq_ca_acme_order_serial")),
    )
    op.create_index("ix_ca_acme_order_account", "ca_acme_order", ["account", "id"], unique=False)
    op.create_index("ix_ca_acme_order_begun", "ca_acme_order", ["state", "begun"], unique=False)
    op.create_index(
        "ux_ca_acme_order_replaces",
        "ca_acme_order",
        ["replaces"],
        unique=True,
        sqlite_where=sa.text("state IN ('processing', 'valid')"),
        postgresql_where=sa.text("state IN ('processing', 'valid')"),
    )
    op.create_table(
        "ca_acme_renewal",
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("marked", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marked_by", sa.String(length=80), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["serial"], ["ca_certificate.serial"], name=op.f("fk_ca_acme_renewal_serial_ca_certificate")
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_ca_acme_renewal")),
    )
