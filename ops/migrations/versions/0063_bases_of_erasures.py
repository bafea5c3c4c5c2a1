"""The legal basis of an erasure or an order to keep data is that of its proposal, as long as that may be."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_TABLES = ("audit_erasure", "audit_hold")


def upgrade() -> None:
    connection = op.get_bind()
    for table in _TABLES:
        if connection.dialect.name == "postgresql":
            op.alter_column(table, "basis", type_=sa.Text(), existing_nullable=False)
            continue
        # SQLite makes the table anew, and its triggers with it
        guarding = sa.text(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table ORDER BY name"
        )
        triggers = connection.scalars(guarding, {"table": table}).all()
        with op.batch_alter_table(table) as changed:
            changed.alter_column("basis", type_=sa.Text(), existing_nullable=False)
        for each in triggers:
            op.execute(sa.text(each))
