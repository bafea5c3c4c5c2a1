"""Grades of objects with the law's longest periods, and opinions on records."""

from datetime import date

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rules = op.create_table(
        "grade_rule",
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("level", "since", name=op.f("pk_grade_rule")),
    )
    # Law on Guarding State Secrets, 2010, art. 15; 2024, art. 20
    since = {"since": date(2010, 10, 1), "until": None, "basis": "保守国家秘密法"}
    years = {"confidential": 10, "secret": 20, "top-secret": 30}
    op.bulk_insert(rules, [{"level": level, "years": most, **since} for level, most in years.items()])
    op.create_table(
        "grade",
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.String(length=20), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("unit", sa.String(length=10), nullable=True),
        sa.Column("condition", sa.String(length=200), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("basis", sa.String(length=400), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("flow", "item", "position", name=op.f("pk_grade")),
    )
    op.create_index("ix_grade_flow_ends", "grade", ["flow", "ends"])
    op.create_table(
        "comment",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=True),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("parent", sa.String(length=40), nullable=True),
        sa.Column("corrects", sa.String(length=40), nullable=True),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        sa.ForeignKeyConstraint(["parent"], ["comment.id"], name=op.f("fk_comment_parent_comment")),
        sa.ForeignKeyConstraint(["corrects"], ["comment.id"], name=op.f("fk_comment_corrects_comment")),
        sa.UniqueConstraint("corrects", name=op.f("uq_comment_corrects")),
    )
    op.create_index("ix_comment_flow_item_organ", "comment", ["flow", "item", "organ"])
