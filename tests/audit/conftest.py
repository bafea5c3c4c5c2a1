"""A site's store and log on both engines, with keys of both suites kept in files."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from yinxin.clock import ManualClock

from .site import Site, make_keys


@pytest.fixture(autouse=True)
def _quiet():
    logger = logging.getLogger("yinxin")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 11, 22, 1, 30, tzinfo=UTC))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    make_keys(folder)
    return folder


@pytest.fixture
def another(database_url, data, clock):
    """Makes the site as one more process would have it."""
    made = []

    def make(**settings) -> Site:
        made.append(Site(database_url, data, clock, **settings))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(another):
    site = another()
    site.create()
    site.log.start()
    return site
