"""Which session another was opened from, to act by a delegation: it ends with that one."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authz_session", sa.Column("opened_from", sa.String(length=40), nullable=True))
    op.create_index(op.f("ix_authz_session_opened_from"), "authz_session", ["opened_from"])
    # of sessions opened so until now nobody wrote down from which: whoever acts by a delegation opens another
    op.execute(
        sa.text(
            "DELETE FROM authz_session WHERE EXISTS (SELECT 1 FROM authz_certificate_binding AS bound "
            "WHERE bound.fingerprint = authz_session.certificate AND bound.post <> authz_session.post)"
        )
    )
