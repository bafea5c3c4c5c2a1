"""Databases of a test's own, once on each engine (on one where a test is marked `engines("any")`).

`database_url` holds no rows; `create_tables(engine)` gives it the product's tables, at the price of a copy (SQLite) or of
nothing (PostgreSQL, where a database goes from test to test, cleared: see `pool`). `empty_database_url` is as the engine
makes it. `postgres` is the server behind them, one for each worker.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from yinxin.store import Base, _prepared, open_engine

from .pool import Pool
from .postgres import PostgresServer


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_engine" in metafunc.fixturenames:
        metafunc.parametrize("database_engine", engines_of(metafunc))


def engines_of(metafunc: pytest.Metafunc) -> list[str]:
    """The engines that a test is for, of those that were chosen."""
    chosen = metafunc.config.getoption("--database")
    engines = ["sqlite", "postgresql"] if chosen == "both" else [chosen]
    nearest = metafunc.definition.get_closest_marker("engines")
    return engines[:1] if nearest and nearest.args == ("any",) else engines


def create_tables(engine: sa.Engine) -> None:
    """What `Base.metadata.create_all(engine)` does; on SQLite by a copy, where there is no file yet."""
    file = Path(str(engine.url.database))
    if engine.dialect.name == "sqlite" and not file.exists():
        file.write_bytes(_made(frozenset(Base.metadata.tables)))
        return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # two processes that look for a table at once would both make it
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(1)))
        Base.metadata.create_all(connection)


@cache
def _made(_tables: frozenset[str]) -> bytes:
    """SQLite's file with these tables, all that are defined so far."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "made.sqlite")
        engine = open_engine(f"sqlite:///{file}")
        Base.metadata.create_all(engine)
        engine.dispose()  # the last connection takes the write-ahead log into the file
        return file.read_bytes()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server, fast and forgetful; crash tests make their own: ``with PostgresServer(durable=True) as server``."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_pool(postgres: PostgresServer) -> Pool:
    """The server's databases with the product's tables, which go from test to test."""
    return Pool(postgres)


@pytest.fixture
def database_url(database_engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """SQLAlchemy's URL of a database of the test's own without a row, for `create_tables`; once for each engine."""
    if database_engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    pool: Pool = request.getfixturevalue("postgres_pool")
    with pool.lent() as name:
        yield pool.server.url(name)


@pytest.fixture
def empty_database_url(database_engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """SQLAlchemy's URL of a database of the test's own in which nothing is, not even a table; once for each engine."""
    if database_engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@contextmanager
def heard() -> Iterator[list[tuple[str, Any]]]:
    """Every statement asked meanwhile, with what it was given: those that go through SQLAlchemy and those that were prepared."""
    found: list[tuple[str, Any]] = []
    asked = _prepared._asked

    def listen(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any
    ) -> None:
        found.append((statement, parameters))

    def ask(driver: Any, dialect: Any, text: str, given: Any, **how: Any) -> Any:
        found.append((text, given))
        return asked(driver, dialect, text, given, **how)

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        with patch.object(_prepared, "_asked", ask):
            yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)
