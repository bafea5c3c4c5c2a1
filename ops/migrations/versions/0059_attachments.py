"""Attachments: contents by their digest, the objects that have them, and uploads under way."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_OCTETS = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attachment_content",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("size", _OCTETS, nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_attachment_content")),
        sa.UniqueConstraint("file", name=op.f("uq_attachment_content_file")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["attachment_content.sha256"], name=op.f("fk_attachment_sha256_attachment_content")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("subject", "name", name=op.f("uq_attachment_subject_name")),
    )
    op.create_index(op.f("ix_attachment_sha256"), "attachment", ["sha256"])
    op.create_table(
        "attachment_upload",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("size", _OCTETS, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=True),
        sa.Column("content", sa.String(length=64), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["content"],
            ["attachment_content.sha256"],
            name=op.f("fk_attachment_upload_content_attachment_content"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment_upload")),
    )
    op.create_index(op.f("ix_attachment_upload_begun_at"), "attachment_upload", ["begun_at"])
    op.create_index(op.f("ix_attachment_upload_content"), "attachment_upload", ["content"])
    op.create_index("ix_attachment_upload_sender", "attachment_upload", ["person", "sha256"])
