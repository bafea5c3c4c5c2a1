"""Texts that are being written in the browser, and the templates of organs."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_manuscript",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("document", sa.String(length=40), nullable=True),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("template", sa.String(length=40), nullable=True),
        sa.Column("template_revision", sa.Integer(), nullable=True),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_manuscript")),
        sa.UniqueConstraint("person", "document", name=op.f("uq_document_manuscript_person_document")),
        info={"housekeeping": True},
    )
    op.create_index("ix_document_manuscript_person_id", "document_manuscript", ["person", "id"])
    op.create_table(
        "document_template",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_template")),
        sa.UniqueConstraint("organ", "name", name=op.f("uq_document_template_organ_name")),
    )
    op.create_index("ix_document_template_organ_id", "document_template", ["organ", "id"])
    for column in ("state", "updated_at"):
        op.create_index(op.f(f"ix_document_template_{column}"), "document_template", [column])
    op.create_table(
        "document_template_version",
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("phrases", sa.JSON(), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("template", "revision", name=op.f("pk_document_template_version")),
        sa.ForeignKeyConstraint(
            ["template"],
            ["document_template.id"],
            name=op.f("fk_document_template_version_template_document_template"),
        ),
    )
