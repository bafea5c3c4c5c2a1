"""How much a tenant may have at most, as its host and it agreed; and the organ that a proposal is shown to beside those who decide it.

Whoever is a tenant already has no limit, as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("most_people", "most_documents"):
        op.add_column("authz_tenant", sa.Column(name, sa.Integer(), nullable=True))
    octets = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("authz_tenant", sa.Column("most_octets", octets, nullable=True))
    op.add_column("authz_proposal", sa.Column("informed", sa.String(length=64), nullable=True))
    op.create_index("ix_authz_proposal_informed", "authz_proposal", ["informed"])
