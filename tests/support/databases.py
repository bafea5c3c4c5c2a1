"""Fixtures: `database_url`, once on each engine (on one where a test is marked `engines("any")`), and the PostgreSQL server behind it, one for each worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .postgres import PostgresServer


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_engine" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        engines = ["sqlite", "postgresql"] if chosen == "both" else [chosen]
        nearest = metafunc.definition.get_closest_marker("engines")
        if nearest and nearest.args == ("any",):
            engines = engines[:1]
        metafunc.parametrize("database_engine", engines)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server, fast and forgetful; crash tests make their own: ``with PostgresServer(durable=True) as server``."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database_url(database_engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """SQLAlchemy's URL of an empty database, the test's own; the test runs once for each engine."""
    if database_engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)
