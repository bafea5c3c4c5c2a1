"""What every test has: engines to choose, no network beyond this machine, and the servers of tests/support as fixtures."""

import gc
import os
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.support.network",
    "tests.support.databases",
    "tests.support.softhsm",
    "tests.support.openssl",
    "tests.support.browser",
    "tests.support.verifiers",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql", "both"],
        default="both",
        help="engines that tests using database_url run on (default: both)",
    )


#: where files are kept in memory, and how much room has to be there
_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30


def pytest_configure() -> None:
    """`tmp_path` lies in memory where there is room, unless PYTEST_DEBUG_TEMPROOT says where.

    Everything that is recorded waits for the disk. A process that is killed loses nothing by it, and a power cut is not
    what tests can make.
    """
    gc.disable()  # until all is collected
    if "PYTEST_DEBUG_TEMPROOT" in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    found = os.statvfs(_MEMORY)
    if found.f_bavail * found.f_frsize >= _ROOM and not found.f_flag & os.ST_NOEXEC:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(_MEMORY)


#: what takes longest is begun first, so that at the end no worker waits for the other's. What every worker needs a copy of is made by
#: the first file that asks for it (tests/support/once): the next that asks comes later, or its worker would only wait.
_LONGEST = (
    "tests/crash/test_main_job",
    "tests/crash/",
    "tests/pages/test_seen",
    "tests/journey/test_demo",
    "tests/exchange/test_family",
    "tests/ca/test_ceremony_crash",
    "tests/authz/test_proof",
    "tests/pages/",
    "tests/journey/",
    "tests/exchange/",
    "tests/laws/",
)


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    if session.testsfailed and not config.option.continue_on_collection_errors:
        # a module that cannot be imported ends the run here, as it does without workers: those of xdist would run all the others first
        items.clear()

    def rank(item: pytest.Item) -> int:
        return next((at for at, each in enumerate(_LONGEST) if item.nodeid.startswith(each)), len(_LONGEST))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the collector of garbage need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()
