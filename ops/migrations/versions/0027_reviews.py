"""Reviews of appointments, and when people last signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authz_person", sa.Column("signed_in", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_authz_person_signed_in"), "authz_person", ["signed_in"])
    op.create_table(
        "authz_review",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("begun", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by", sa.String(length=64), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organ"], ["authz_organ.id"], name=op.f("fk_authz_review_organ_authz_organ")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_review")),
    )
    op.create_index(op.f("ix_authz_review_organ"), "authz_review", ["organ"])
    op.create_index(op.f("ix_authz_review_deadline"), "authz_review", ["deadline"])
    op.create_table(
        "authz_review_item",
        sa.Column("review", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person"], ["authz_person.id"], name=op.f("fk_authz_review_item_person_authz_person")
        ),
        sa.ForeignKeyConstraint(
            ["post"], ["authz_post.id"], name=op.f("fk_authz_review_item_post_authz_post")
        ),
        sa.ForeignKeyConstraint(
            ["review"], ["authz_review.id"], name=op.f("fk_authz_review_item_review_authz_review")
        ),
        sa.PrimaryKeyConstraint("review", "person", "post", name=op.f("pk_authz_review_item")),
    )
