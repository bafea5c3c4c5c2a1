"""Passkeys, and when the certificate's own key was last proved in a session."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authz_passkey",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("credential_hash", sa.String(length=64), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate"],
            ["authz_certificate_binding.fingerprint"],
            name=op.f("fk_authz_passkey_certificate_authz_certificate_binding"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_passkey")),
        sa.UniqueConstraint("credential_hash", name=op.f("uq_authz_passkey_credential_hash")),
    )
    op.create_index(op.f("ix_authz_passkey_certificate"), "authz_passkey", ["certificate"], unique=False)
    op.create_index(op.f("ix_authz_passkey_person"), "authz_passkey", ["person"], unique=False)
    with op.batch_alter_table("authz_session") as table:
        table.add_column(sa.Column("certified", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        sa.text("UPDATE authz_session SET certified = proved")
    )  # until now every way was the certificate's
