"""The directory's history, kinds of appointment, delegations."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authz_organ", sa.Column("line", sa.String(length=40), nullable=True))
    op.add_column(
        "authz_organ", sa.Column("status", sa.String(length=12), server_default="active", nullable=False)
    )
    op.add_column("authz_organ", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_authz_organ_line"), "authz_organ", ["line"])
    op.add_column("authz_person", sa.Column("retired", sa.DateTime(timezone=True), nullable=True))
    op.add_column("authz_person", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("authz_post", sa.Column("ended", sa.DateTime(timezone=True), nullable=True))
    op.add_column("authz_post", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "authz_appointment",
        sa.Column("kind", sa.String(length=12), server_default="substantive", nullable=False),
    )
    op.add_column("authz_appointment", sa.Column("delegation", sa.String(length=40), nullable=True))
    op.add_column("authz_appointment", sa.Column("ended", sa.String(length=20), nullable=True))
    op.create_index(op.f("ix_authz_appointment_delegation"), "authz_appointment", ["delegation"])
    op.add_column(
        "authz_certificate_binding", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(op.f("ix_authz_certificate_binding_left_at"), "authz_certificate_binding", ["left_at"])
    op.create_table(
        "authz_past",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("above", sa.String(length=64), nullable=True),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("verb", sa.String(length=40), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_authz_past")),
    )
    op.create_index("ix_authz_past_kind_subject_until", "authz_past", ["kind", "subject", "until"])
    op.create_index(op.f("ix_authz_past_above"), "authz_past", ["above"])
    op.create_table(
        "authz_organ_succession",
        sa.Column("predecessor", sa.String(length=64), nullable=False),
        sa.Column("successor", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("how", sa.String(length=12), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["predecessor"],
            ["authz_organ.id"],
            name=op.f("fk_authz_organ_succession_predecessor_authz_organ"),
        ),
        sa.ForeignKeyConstraint(
            ["successor"], ["authz_organ.id"], name=op.f("fk_authz_organ_succession_successor_authz_organ")
        ),
        sa.PrimaryKeyConstraint("predecessor", "successor", "at", name=op.f("pk_authz_organ_succession")),
    )
    op.create_index(op.f("ix_authz_organ_succession_successor"), "authz_organ_succession", ["successor"])
    op.create_table(
        "authz_delegation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("delegator", sa.String(length=64), nullable=False),
        sa.Column("delegate", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=True),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("given", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["delegate"], ["authz_person.id"], name=op.f("fk_authz_delegation_delegate_authz_person")
        ),
        sa.ForeignKeyConstraint(
            ["delegator"], ["authz_person.id"], name=op.f("fk_authz_delegation_delegator_authz_person")
        ),
        sa.ForeignKeyConstraint(
            ["post"], ["authz_post.id"], name=op.f("fk_authz_delegation_post_authz_post")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_delegation")),
    )
    for column in ("post", "delegator", "delegate"):
        op.create_index(op.f(f"ix_authz_delegation_{column}"), "authz_delegation", [column])
