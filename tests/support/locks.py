"""Two transactions at once: until the second waits for the first."""

from concurrent.futures import Future
from typing import Any

import sqlalchemy as sa

_WAITING = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def until_waiting(engine: sa.Engine, other: Future[Any]) -> bool:
    """Return when the other waits for a lock of this database, or is done; whether it waits.

    Where there is one writer at a time (SQLite) it has to, and nothing is asked.
    """
    if engine.dialect.name == "sqlite":
        return True
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not other.done():
            if connection.scalar(_WAITING):
                return True
    return False
