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


#: what takes longest is begun first, so that at the end no worker waits for the other's
_LONGEST = ("tests/crash/", "tests/journey/", "tests/pages/", "tests/ca/test_ceremony_crash", "tests/laws/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((at for at, each in enumerate(_LONGEST) if item.nodeid.startswith(each)), len(_LONGEST))

    items.sort(key=rank)
