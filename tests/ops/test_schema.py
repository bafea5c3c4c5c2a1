"""The migrations make exactly the tables that the code declares, on both engines, however often they are run."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from audit.models import TRIGGERS as LOG
from ca.status.models import TRIGGERS as STATUS
from ops.schema import upgrade
from yinxin.store import Base, open_engine


def test_migrated_is_declared(database_url):
    engine = open_engine(database_url)
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_the_log_is_guarded_and_status_is_written_down(database_url):
    """Seen to fail when the triggers are left out of a migration."""
    engine = open_engine(database_url)
    upgrade(engine)
    catalogue = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT DISTINCT trigger_name FROM information_schema.triggers WHERE event_manipulation <> 'TRUNCATE'",
    }
    with engine.connect() as connection:
        dialect = connection.dialect.name
        found = set(connection.execute(sa.text(catalogue[dialect])).scalars())
    engine.dispose()
    if dialect == "sqlite":
        assert found == {*LOG["sqlite"], *STATUS["sqlite"]}
    else:
        named = {
            statement.split()[2]
            for statement in (*LOG["postgresql"], *STATUS["postgresql"])
            if "CREATE TRIGGER" in statement
        }
        assert {name for name in named if "truncate" not in name} == found
