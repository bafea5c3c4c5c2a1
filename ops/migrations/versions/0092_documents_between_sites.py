"""Which document answers which, of this site or of another; what other sites are to be told; the number of a copy that came from one."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0092"
down_revision = "0091"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_answer",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("answer", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_answer_document_document")
        ),
        sa.ForeignKeyConstraint(["answer"], ["document.id"], name=op.f("fk_document_answer_answer_document")),
        sa.PrimaryKeyConstraint("document", "organ", name=op.f("pk_document_answer")),
    )
    op.create_index(op.f("ix_document_answer_answer"), "document_answer", ["answer"])
    op.execute(
        "INSERT INTO document_answer (document, organ, answer, at) "
        "SELECT document, organ, answer, updated_at FROM document_intake WHERE answer IS NOT NULL"
    )
    op.create_table(
        "document_advice",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("sender", sa.String(length=80), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("told_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_advice_document_document")
        ),
        sa.PrimaryKeyConstraint(
            "document", "organ", "sender", "what", "number", name=op.f("pk_document_advice")
        ),
    )
    op.create_index(
        "ix_document_advice_due",
        "document_advice",
        ["document", "organ"],
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.add_column("document_arrival", sa.Column("copy_number", sa.Integer(), nullable=True))
