"""Incoming documents: the register, its numbers, and who has read what."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_intake",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("sender", sa.String(length=80), nullable=False),
        sa.Column("urgency", sa.String(length=20), nullable=True),
        sa.Column("main", sa.String(length=80), nullable=True),
        sa.Column("joint", sa.JSON(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("unit", sa.String(length=20), nullable=True),
        sa.Column("hurried", sa.Integer(), nullable=False),
        sa.Column("hurried_at", Instant(), nullable=True),
        sa.Column("answer", sa.String(length=40), nullable=True),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_intake")),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_intake_document_document")
        ),
        sa.ForeignKeyConstraint(["answer"], ["document.id"], name=op.f("fk_document_intake_answer_document")),
        sa.UniqueConstraint("organ", "document", name=op.f("uq_document_intake_organ_document")),
        sa.UniqueConstraint("organ", "number", name="uq_document_intake_organ_number"),
    )
    op.create_index("ix_document_intake_organ_state_id", "document_intake", ["organ", "state", "id"])
    for column in ("answer", "document", "state", "updated_at"):
        op.create_index(op.f(f"ix_document_intake_{column}"), "document_intake", [column])
    op.create_table(
        "document_intake_reader",
        sa.Column("intake", sa.String(length=40), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.Column("person", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("intake", "post", name=op.f("pk_document_intake_reader")),
        sa.ForeignKeyConstraint(
            ["intake"],
            ["document_intake.id"],
            name=op.f("fk_document_intake_reader_intake_document_intake"),
        ),
    )
    op.create_index("ix_document_intake_reader_post_read_at", "document_intake_reader", ["post", "read_at"])
    op.create_table(
        "document_intake_numbering",
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organ", "year", name=op.f("pk_document_intake_numbering")),
    )
