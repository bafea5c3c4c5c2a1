"""Systems that are told of the directory, how far each is, and what each was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authz_scim_receiver",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client"], ["authz_oidc_client.id"], name=op.f("fk_authz_scim_receiver_client_authz_oidc_client")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_scim_receiver")),
    )
    op.create_table(
        "authz_scim_delivery",
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=800), nullable=True),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position", sa.String(length=80), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("swept", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("receiver", name=op.f("pk_authz_scim_delivery")),
    )
    op.create_table(
        "authz_scim_sent",
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("remote_id", sa.String(length=200), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("failure", sa.String(length=800), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("receiver", "kind", "subject", name=op.f("pk_authz_scim_sent")),
    )
    op.create_index(op.f("ix_authz_scim_sent_due"), "authz_scim_sent", ["due"])
    for table, column in (
        ("authz_person", "since"),
        ("authz_post", "since"),
        ("authz_appointment", "valid_from"),
        ("authz_appointment", "valid_to"),
    ):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
