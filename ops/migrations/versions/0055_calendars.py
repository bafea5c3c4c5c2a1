"""Working-day calendars, a version for every arrangement that was published."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("arrangement", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("proposal", sa.String(length=40), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("in_force_from", Instant(), nullable=False),
        sa.Column("in_force_until", Instant(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("year", "version", name=op.f("pk_calendar_year")),
        sa.UniqueConstraint("proposal", name=op.f("uq_calendar_year_proposal")),
    )
