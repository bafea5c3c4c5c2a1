"""One engine for both databases, durable by default.

SQLite runs in WAL with `synchronous=FULL`: an acknowledged commit survives a power cut (`NORMAL` lost rows, `OFF`
lost the table, when measured). Writers begin with BEGIN IMMEDIATE, so that two of them wait instead of deadlocking.
"""

import sqlite3
from collections.abc import Callable
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from yinxin.settings import Section

#: seconds a writer waits for another before StoreUnavailable
BUSY_SECONDS = 30


#: memory for pages, by connection. Connections are taken last in, first out, so that few of them fill it
_PAGES_KIB = 8000
#: pages of SQLite's log from which on they are written back: one that many groups change is then written back once (16 MB)
_LOG_PAGES = 4000
#: of a connection that writes: what one statement would have to undo is kept in memory. In a file, where it goes from 64 KB on for
#: the rest of the transaction, that is two writes for every page that any statement changes: sixty for a certificate
_UNDO = "temp_store=MEMORY"


class DatabaseSettings(Section):
    """The database."""

    url: str = ""
    """SQLAlchemy address: empty for SQLite in the data directory, or postgresql+psycopg://host/name. No password in it: use a passfile, a client certificate or `database.password`."""
    password: Literal["none", "secret"] = "none"  # noqa: S105 - where it stands, not what it is
    """Whether PostgreSQL's password is the installation's secret `database-password`, read for each new connection, or there is `none` or one in a passfile."""
    pool: int = Field(default=8, ge=1, le=100)
    """Connections kept per process."""


def open_engine(url: str, *, pool: int = 8, password: Callable[[], str] | None = None) -> sa.Engine:
    """An engine for `url`, with our durability settings; nothing is connected yet.

    `password` is asked for each connection to PostgreSQL that is made, so that a new one counts at the next; what it
    raises comes out of whatever needed the connection.
    """
    if sa.make_url(url).get_backend_name() == "sqlite":
        return _sqlite(sa.make_url(url), pool)
    engine = sa.create_engine(url, pool_size=pool, max_overflow=pool, pool_pre_ping=True)
    if password is not None:
        ask = password

        @event.listens_for(engine, "do_connect")
        def connecting(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
            parameters["password"] = ask()

    return engine


def reading_engine(engine: sa.Engine) -> sa.Engine:
    """The engine for transactions in which the database itself refuses writing, each with one consistent view.

    Its connections are its own, and end with `engine`'s: an act that reads would otherwise wait for one of the acts
    that hold all connections and wait for its row. On SQLite the pragma that makes a connection refuse writing would
    also have all statements compiled anew at each change.
    """
    if engine.dialect.name == "sqlite":
        return _beside(engine, reading=True)
    # connects as `engine` does, with its password
    other = sa.create_engine(engine.url, pool=engine.pool.recreate())
    event.listen(engine, "engine_disposed", lambda _engine: other.dispose())
    return other.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")


def hasty_engine(engine: sa.Engine) -> sa.Engine:
    """The engine for changes that need not survive a power cut by themselves, and do not wait for the disk.

    They are never undone by the death of a process, and whatever is committed durably after them, on whichever
    connection, brings them along: both databases write one log, in order. The connections end with `engine`'s.
    """
    if engine.dialect.name == "sqlite":
        return _beside(engine, synchronous="NORMAL")
    hasty = engine.execution_options()

    @event.listens_for(hasty, "begin")
    def begun(connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.execute("SET LOCAL synchronous_commit = off")

    return hasty


def _beside(engine: sa.Engine, *, reading: bool = False, synchronous: str = "FULL") -> sa.Engine:
    size = engine.pool.size() if isinstance(engine.pool, sa.pool.QueuePool) else 1
    other = _sqlite(engine.url, size, reading=reading, synchronous=synchronous)
    event.listen(engine, "engine_disposed", lambda _engine: other.dispose())
    return other


def _sqlite(url: sa.URL, pool: int, *, reading: bool = False, synchronous: str = "FULL") -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=pool,
        max_overflow=pool,
        poolclass=sa.pool.QueuePool,
        pool_use_lifo=True,  # who wrote last has its pages in memory still, unless another has written since
        # every statement that is in use stays compiled
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "cached_statements": 512},
    )
    begin = "BEGIN" if reading else "BEGIN IMMEDIATE"
    pragmas = [
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        f"cache_size=-{_PAGES_KIB}",
        f"wal_autocheckpoint={_LOG_PAGES}",
        "secure_delete=ON",  # what is erased leaves no copy in a free page; Debian's SQLite has it so anyway
    ]

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own implicit BEGIN is deferred; ours is not
        for pragma in (*pragmas, "query_only=ON" if reading else _UNDO):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        try:  # past SQLAlchemy, which would take ten times as long over it
            driver.execute(begin)
        except sqlite3.OperationalError as error:
            raise OperationalError(begin, None, error) from error

    return engine
