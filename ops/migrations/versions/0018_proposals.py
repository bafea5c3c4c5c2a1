"""Proposals and the approvals of them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authz_proposal",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("proposer", sa.String(length=80), nullable=False),
        sa.Column("proposer_post", sa.String(length=80), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("organs", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("begun_by", sa.String(length=80), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_by", sa.String(length=80), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_proposal")),
    )
    for column in ("kind", "organ", "proposer"):
        op.create_index(op.f(f"ix_authz_proposal_{column}"), "authz_proposal", [column])
    op.create_index("ix_authz_proposal_waiting", "authz_proposal", ["state", "expires"])
    op.create_table(
        "authz_proposal_approval",
        sa.Column("proposal", sa.String(length=26), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stamped", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal"],
            ["authz_proposal.id"],
            name=op.f("fk_authz_proposal_approval_proposal_authz_proposal"),
        ),
        sa.PrimaryKeyConstraint("proposal", "person", name=op.f("pk_authz_proposal_approval")),
        sa.UniqueConstraint("proposal", "post", name=op.f("uq_authz_proposal_approval_proposal_post")),
        sa.UniqueConstraint(
            "proposal", "certificate", name=op.f("uq_authz_proposal_approval_proposal_certificate")
        ),
    )
