"""What every test has: engines to choose, no network beyond this machine, and the servers of tests/support as fixtures."""

import pytest

pytest_plugins = [
    "tests.support.network",
    "tests.support.databases",
    "tests.support.softhsm",
    "tests.support.openssl",
    "tests.support.browser",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql", "both"],
        default="both",
        help="engines that tests using database_url run on (default: both)",
    )
