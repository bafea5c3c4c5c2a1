"""One engine for both databases, durable by default.

SQLite runs in WAL with `synchronous=FULL`: an acknowledged commit survives a power cut (`NORMAL` lost rows, `OFF`
lost the table, when measured). Writers begin with BEGIN IMMEDIATE, so that two of them wait instead of deadlocking.
"""

from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import event

from yinxin.settings import Section

#: seconds a writer waits for another before StoreUnavailable
BUSY_SECONDS = 30


class DatabaseSettings(Section):
    """The database."""

    url: str = ""
    """SQLAlchemy address: empty for SQLite in the data directory, or postgresql+psycopg://host/name. No password in it: use a passfile."""
    pool: int = Field(default=8, ge=1, le=100)
    """Connections kept per process."""


def open_engine(url: str, *, pool: int = 8) -> sa.Engine:
    """An engine for `url`, with our durability settings; nothing is connected yet."""
    if sa.make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url, pool)
    return sa.create_engine(url, pool_size=pool, max_overflow=pool, pool_pre_ping=True)


def _sqlite(url: str, pool: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=pool,
        max_overflow=pool,
        poolclass=sa.pool.QueuePool,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own implicit BEGIN is deferred; ours is not
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get("yinxin_read_only", False)
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
