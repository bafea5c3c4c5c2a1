"""The database's tables, brought up to date before anything is served."""

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ops.modules import MODULES
from ops.restating import Restating
from yinxin.store import Store

MIGRATIONS = Path(__file__).parent / "migrations"


def import_tables() -> None:
    """Make every module's tables known."""
    for module in MODULES:
        for name in module.models:
            importlib.import_module(name)


def newest() -> str:
    """The version that the migrations lead to: their files bear its number, so none of them has to be loaded to know it."""
    return max(each.name for each in MIGRATIONS.glob("versions/[0-9]*.py")).partition("_")[0]


def upgrade(engine: sa.Engine, store: Store | None = None) -> None:
    """Bring the database to the newest version; does nothing when it is there already.

    With a store, rows that a migration changes and says so (`restates`) are put on record as they are now, in the same transaction.
    """
    import_tables()
    if _is_newest(engine):
        return
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect() as connection, _rebuilding(connection), connection.begin():
        before = _version(connection)
        config.attributes["connection"] = connection
        restating = Restating(store, connection, config) if store is not None else None
        command.upgrade(config, "head")
        if restating is not None:
            restating.record()
        if _version(connection) != before:
            _require_whole(connection)


def _is_newest(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        found = connection.scalars(sa.text("SELECT version_num FROM alembic_version")).all()
    return list(found) == [newest()]


@contextmanager
def _rebuilding(connection: sa.Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew; meanwhile references to it are not held, and indexes are sorted in files, however long.

    The procedure of sqlite.org/lang_altertable.html, section 7: its switch, like the other, does nothing once a transaction has begun.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    (temporary,) = driver.execute("PRAGMA temp_store").fetchone()
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute("PRAGMA temp_store=FILE")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA temp_store={temporary}")
        driver.execute("PRAGMA foreign_keys=ON")


def _version(connection: sa.Connection) -> object:
    """A number that changes with the tables, on SQLite."""
    sqlite = connection.dialect.name == "sqlite"
    return connection.scalar(sa.text("PRAGMA schema_version")) if sqlite else None


def _require_whole(connection: sa.Connection) -> None:
    """Undo an upgrade that left a row referring to nothing."""
    broken = connection.execute(sa.text("PRAGMA foreign_key_check")).all()
    if broken:
        raise RuntimeError(f"rows that refer to nothing: {broken[:5]}")
