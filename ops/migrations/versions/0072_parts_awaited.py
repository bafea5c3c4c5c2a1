"""What is awaited of a part is awaited of its peer: another that announces the same part does not stand in its way."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # what is awaited is announced again with the run that it belongs to
    op.drop_table("exchange_awaited")
    op.create_table(
        "exchange_awaited",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("suite", sa.String(length=16), nullable=False),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "digest", name=op.f("pk_exchange_awaited")),
        info={"housekeeping": True},
    )
