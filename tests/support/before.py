"""The database as it was before a migration, for rows of that time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ops.schema import MIGRATIONS


@dataclass(frozen=True)
class Before:
    """Tables of the time before, in a transaction."""

    connection: sa.Connection
    tables: sa.MetaData

    def insert(self, table: str, row: dict[str, Any]) -> None:
        """A row of that time; instants have their time zone, as everywhere."""
        # a reflected column of SQLite's knows of no time zone
        naive = self.connection.dialect.name == "sqlite"
        told = {
            name: value.replace(tzinfo=None) if naive and isinstance(value, datetime) else value
            for name, value in row.items()
        }
        self.connection.execute(self.tables.tables[table].insert(), told)


@contextmanager
def before(engine: sa.Engine, migration: str, *tables: str) -> Iterator[Before]:
    """An empty database brought to where the migration of this name found it, these tables of it open for rows."""
    (ours,) = (MIGRATIONS / "versions").glob(f"*_{migration}.py")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, f"{int(ours.name[:4]) - 1:04}")
        old = sa.MetaData()
        old.reflect(connection, only=tables)
        yield Before(connection, old)
