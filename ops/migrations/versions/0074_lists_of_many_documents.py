"""Lists of an office with many documents: by state, and which copies an organ has entered in its books."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

_COPY = "distribution_copy"
_RECALLED = sa.text("recalled_at IS NOT NULL")


def upgrade() -> None:
    op.add_column(_COPY, sa.Column("registered_at", Instant(), nullable=True))
    op.execute(
        "UPDATE distribution_copy SET registered_at = (SELECT created_at FROM document_intake"
        " WHERE document = distribution_copy.item AND organ = distribution_copy.organ) WHERE flow = 'document'"
    )
    op.create_index("ix_distribution_copy_sender_flow_state_item", _COPY, ["sender", "flow", "state", "item"])
    op.create_index(
        "ix_distribution_copy_organ_registered", _COPY, ["organ", "flow", "state", "registered_at", "item"]
    )
    op.create_index(
        "ix_distribution_copy_recalled",
        _COPY,
        ["organ", "flow", "item"],
        sqlite_where=_RECALLED,
        postgresql_where=_RECALLED,
    )
    op.create_index("ix_document_organ_state_id", "document", ["organ", "state", "id"])
