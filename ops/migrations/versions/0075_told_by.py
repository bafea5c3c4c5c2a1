"""Of a peer that people did not admit it is known whose directory vouches for it: besides the parent a child may."""

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exchange_peer", sa.Column("told_by", sa.String(length=64), nullable=True))
    # so far it was the parent alone
    op.execute(
        "UPDATE exchange_peer SET told_by = (SELECT min(site) FROM exchange_peer WHERE relation = 'parent') "
        "WHERE source LIKE 'directory:%'"
    )
