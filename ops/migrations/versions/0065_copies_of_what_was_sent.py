"""Copies of what was sent in a common table, those of documents among them; copy recipients, and who has a copy."""

import json

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "distribution_copy",
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("sender", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("away", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("asked_back_at", Instant(), nullable=True),
        sa.Column("recalled_at", Instant(), nullable=True),
        sa.Column("urged", sa.Integer(), nullable=False),
        sa.Column("urged_at", Instant(), nullable=True),
        sa.Column("period", sa.JSON(), nullable=True),
        sa.Column("due", Instant(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("calendar", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("flow", "item", "organ", name=op.f("pk_distribution_copy")),
    )
    op.create_index("ix_distribution_copy_organ_flow_item", "distribution_copy", ["organ", "flow", "item"])
    op.create_index("ix_distribution_copy_sender_flow_item", "distribution_copy", ["sender", "flow", "item"])
    op.create_index("ix_distribution_copy_flow_state_due", "distribution_copy", ["flow", "state", "due"])
    op.create_table(
        "distribution_receipt",
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "item", "organ", "state", name=op.f("pk_distribution_receipt")),
    )
    # a copy of this site was delivered when it was sent; of the time before, none has a deadline
    op.execute(
        sa.text(
            """
            INSERT INTO distribution_copy
                (flow, item, organ, sender, role, state, away, reason, made_at, sent_at, delivered_at, answered_at,
                 urged, provisional)
            SELECT 'document', c.document, c.organ, d.organ, 'main',
                CASE c.state WHEN 'sent' THEN 'delivered' ELSE c.state END,
                :no, c.reason, c.sent_at, c.sent_at, c.sent_at, c.answered_at, 0, :no
            FROM document_delivery c JOIN document d ON d.id = c.document
            """
        ).bindparams(sa.bindparam("no", False, sa.Boolean()))
    )
    op.drop_index("ix_document_delivery_organ_document", table_name="document_delivery")
    op.drop_table("document_delivery")
    with op.batch_alter_table("document") as batch:
        batch.add_column(sa.Column("copied_to", sa.JSON(), nullable=False, server_default=json.dumps([])))
        batch.add_column(sa.Column("holders", sa.JSON(), nullable=False, server_default=json.dumps([])))
        batch.add_column(sa.Column("skips", sa.String(length=2000), nullable=True))
    op.execute("UPDATE document SET holders = recipients WHERE state = 'dispatched'")
    with op.batch_alter_table("document") as batch:
        batch.alter_column("copied_to", server_default=None)
        batch.alter_column("holders", server_default=None)
