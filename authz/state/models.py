"""The number of the state that decisions rest on, and the triggers that raise it.

Whoever changes an organ, a post, a person, an appointment, a delegation, a grant or the policies in force changes what
decisions come to. The database itself then raises the number, in the same transaction: no path of code can forget it,
and whoever reads the number after the commit reads the new one, in whichever process.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from authz.directory import models as directory_models
from authz.grant import models as grant_models
from authz.version import models as version_models
from yinxin.store import Base, housekeeping

#: the tables are known wherever this one is
_BESIDE = (directory_models, grant_models, version_models)


class StateRow(Base):
    """One row: how often what decisions rest on has changed."""

    __tablename__ = "authz_state"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(sa.BigInteger)


#: the tables, and the columns whose change counts; none named: every one
WATCHED: dict[str, tuple[str, ...]] = {
    "authz_organ": (),
    "authz_organ_closure": (),
    # a sign-in is kept here as well, and changes nothing
    "authz_person": ("id", "name", "clearance", "retired"),
    "authz_post": (),
    "authz_post_role": (),
    "authz_appointment": (),
    "authz_delegation": (),
    "authz_grant": (),
    "authz_policy_version": (),
}
_RAISE = "UPDATE authz_state SET number = number + 1"


def _of(columns: tuple[str, ...]) -> str:
    return f" OF {', '.join(columns)}" if columns else ""


#: by dialect, in order; a migration executes them after the tables. On PostgreSQL the number is raised at the commit,
#: once: nobody waits for it with locks that another wants, and of two who commit at once the second comes after
TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": tuple(
        f"CREATE TRIGGER {table}_{when.lower()} AFTER {when}{_of(columns) if when == 'UPDATE' else ''} ON {table} "
        f"BEGIN {_RAISE}; END"
        for table, columns in WATCHED.items()
        for when in ("INSERT", "UPDATE", "DELETE")
    ),
    "postgresql": (
        (
            "CREATE OR REPLACE FUNCTION authz_state_raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF current_setting('yinxin.authz_state', true) IS DISTINCT FROM CAST(pg_current_xact_id() AS text) THEN "
            f"{_RAISE}; "
            "PERFORM set_config('yinxin.authz_state', CAST(pg_current_xact_id() AS text), true); "
            "END IF; RETURN NULL; END $$"
        ),
        *(
            f"CREATE CONSTRAINT TRIGGER {table}_raises AFTER INSERT OR DELETE OR UPDATE{_of(columns)} ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION authz_state_raise()"
            for table, columns in WATCHED.items()
        ),
    ),
}


def _created(
    _metadata: sa.MetaData, connection: sa.Connection, *, tables: list[sa.Table], **_: object
) -> None:
    if StateRow.__table__ in tables:
        connection.execute(sa.insert(StateRow).values(id=1, number=0))
        for statement in TRIGGERS[connection.dialect.name]:
            connection.execute(sa.text(statement))


sa.event.listen(Base.metadata, "after_create", _created)
