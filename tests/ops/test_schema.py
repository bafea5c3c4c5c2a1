"""The migrations make exactly the tables that the code declares, on both engines, however often they are run."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from audit.archive.models import TRIGGERS as ARCHIVES
from audit.models import TRIGGERS as LOG
from audit.personal.models import TRIGGERS as PERSONAL
from audit.renewal.models import TRIGGERS as RENEWAL
from audit.witness.models import TRIGGERS as WITNESSES
from authz.state.models import TRIGGERS as STATE
from ca.status.models import TRIGGERS as STATUS
from exchange.models import TRIGGERS as EXCHANGE
from kms.escrow.triggers import TRIGGERS as LIBRARY
from ops.schema import MIGRATIONS, newest, upgrade
from yinxin.store import Base, open_engine


def test_migrated_is_declared(empty_database_url):
    engine = open_engine(empty_database_url)
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        # the tables behind a virtual one are its module's (sqlite.org/vtab.html)
        options = {
            "compare_type": True,
            "include_name": lambda name, *_: not str(name).startswith("search_words"),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


@pytest.mark.engines("any")
def test_an_upgrade_sorts_in_files(empty_database_url):
    """An index of a million rows is no memory's matter. Seen to fail when the upgrade leaves the connection as it is for acts."""
    engine, sorted_in = open_engine(empty_database_url), set()

    def asked(connection):
        return connection.connection.driver_connection.execute("PRAGMA temp_store").fetchone()[0]

    @sa.event.listens_for(engine, "before_cursor_execute")
    def before(connection, _cursor, statement, *_):
        if statement.lstrip().startswith("CREATE INDEX"):
            sorted_in.add(asked(connection))

    upgrade(engine)
    file, memory = 1, 2  # sqlite.org/pragma.html#pragma_temp_store
    assert sorted_in == {file}
    with engine.connect() as connection:
        assert asked(connection) == memory
    engine.dispose()


def test_the_newest_version_is_the_one_that_the_migrations_lead_to():
    """A start compares numbers alone: a migration whose file bears another number than it would not be carried out."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [newest()]
    for each in script.walk_revisions():
        assert Path(each.path).name.startswith(f"{each.revision}_")


def test_the_log_is_guarded_and_status_is_written_down(empty_database_url):
    """Seen to fail when the triggers are left out of a migration."""
    engine = open_engine(empty_database_url)
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
        assert found == {
            *LOG["sqlite"],
            *WITNESSES["sqlite"],
            *ARCHIVES["sqlite"],
            *PERSONAL["sqlite"],
            *RENEWAL["sqlite"],
            *STATUS["sqlite"],
            *STATE["sqlite"],
            *LIBRARY["sqlite"],
            *EXCHANGE["sqlite"],
        }
    else:
        named = {
            statement.partition("TRIGGER ")[2].split()[0]
            for statement in sum(
                (
                    each["postgresql"]
                    for each in (
                        LOG,
                        WITNESSES,
                        ARCHIVES,
                        PERSONAL,
                        RENEWAL,
                        STATUS,
                        STATE,
                        LIBRARY,
                        EXCHANGE,
                    )
                ),
                (),
            )
            if statement.startswith(("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER"))
        }
        assert {name for name in named if "truncate" not in name} == found
