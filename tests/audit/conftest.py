"""A site's store and log on both engines, with keys of both suites kept in files."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.audit.site import Site, make_keys
from yinxin.clock import ManualClock


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("yinxin").setLevel(logging.CRITICAL)


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
def site(database_url, data, clock):
    site = Site(database_url, data, clock)
    site.create()
    site.log.start()
    yield site
    site.close()
