"""Audit reports, their files and their schedules."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_report",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=300), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("schedule", sa.String(length=40), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_report")),
        sa.UniqueConstraint("schedule", "until", name=op.f("uq_audit_report_schedule_until")),
    )
    op.create_index(op.f("ix_audit_report_kind_audit_report_id"), "audit_report", ["kind", "id"])
    op.create_index(op.f("ix_audit_report_sealed"), "audit_report", ["sealed"])
    op.create_table(
        "audit_report_file",
        sa.Column("report", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report"], ["audit_report.id"], name=op.f("fk_audit_report_file_report_audit_report")
        ),
        sa.PrimaryKeyConstraint("report", "name", name=op.f("pk_audit_report_file")),
    )
    op.create_table(
        "audit_schedule",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=300), nullable=True),
        sa.Column("every", sa.String(length=10), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("begin", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_schedule")),
    )
    op.create_index(op.f("ix_audit_schedule_ended"), "audit_schedule", ["ended"])
