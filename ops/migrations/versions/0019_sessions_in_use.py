"""How a session was opened, when a key was last proved in it, and when it was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # who was signed in before signs in again: nobody wrote down how she did
    op.execute(sa.text("DELETE FROM authz_session"))
    with op.batch_alter_table("authz_session") as table:
        table.add_column(sa.Column("way", sa.String(length=16), nullable=False))
        table.add_column(sa.Column("proved", sa.DateTime(timezone=True), nullable=False))
        table.add_column(sa.Column("used", sa.DateTime(timezone=True), nullable=False))
