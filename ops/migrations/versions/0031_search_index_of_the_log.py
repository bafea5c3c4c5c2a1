"""What the log's entries are found by, kept apart from them; saved questions."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for columns in (
        "actor_audit_entry_index",
        "request",
        "subject_audit_entry_index",
        "verb_audit_entry_index",
    ):
        op.drop_index(op.f(f"ix_audit_entry_{columns}"), "audit_entry")
    op.create_table(
        "audit_posting",
        sa.Column("term", _INDEX, autoincrement=False, nullable=False),
        sa.Column("index", _INDEX, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("term", "index", name=op.f("pk_audit_posting")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_span",
        sa.Column("index", _INDEX, autoincrement=False, nullable=False),
        sa.Column("reached", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_audit_span")),
    )
    op.create_index(op.f("ix_audit_span_reached_audit_span_index"), "audit_span", ["reached", "index"])
    op.create_table(
        "audit_indexed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", _INDEX, nullable=False),
        sa.Column("reached", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lag", _INDEX, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_indexed")),
    )
    op.create_table(
        "audit_question",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_question")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_audit_question_owner_name")),
    )
    op.create_index(op.f("ix_audit_question_shared"), "audit_question", ["shared"])
