"""The number of the state that decisions rest on, and the triggers that raise it."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_RAISE = "UPDATE authz_state SET number = number + 1"
_WATCHED = {
    "authz_organ": "",
    "authz_organ_closure": "",
    "authz_person": " OF id, name, clearance, retired",
    "authz_post": "",
    "authz_post_role": "",
    "authz_appointment": "",
    "authz_delegation": "",
    "authz_grant": "",
    "authz_policy_version": "",
}
#: as they were when this was written
_TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER {table}_{when.lower()} AFTER {when}{columns if when == 'UPDATE' else ''} ON {table} "
        f"BEGIN {_RAISE}; END"
        for table, columns in _WATCHED.items()
        for when in ("INSERT", "UPDATE", "DELETE")
    ],
    "postgresql": [
        (
            "CREATE OR REPLACE FUNCTION authz_state_raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF current_setting('yinxin.authz_state', true) IS DISTINCT FROM CAST(pg_current_xact_id() AS text) THEN "
            f"{_RAISE}; "
            "PERFORM set_config('yinxin.authz_state', CAST(pg_current_xact_id() AS text), true); "
            "END IF; RETURN NULL; END $$"
        ),
        *(
            f"CREATE CONSTRAINT TRIGGER {table}_raises AFTER INSERT OR DELETE OR UPDATE{columns} ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION authz_state_raise()"
            for table, columns in _WATCHED.items()
        ),
    ],
}


def upgrade() -> None:
    state = op.create_table(
        "authz_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_state")),
    )
    op.bulk_insert(state, [{"id": 1, "number": 0}])
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
