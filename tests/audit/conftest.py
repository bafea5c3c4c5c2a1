"""A site's store and log on both engines, with keys of both suites kept in files."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.witness.proposals import QuorumContent, WitnessContent
from yinxin.clock import ManualClock
from yinxin.crypto.suite import INTL, SM

from .neighbourhood import Net, app_of, decide, policy
from .people import Deciding
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


@pytest.fixture
def net():
    return Net()


@pytest.fixture
def ours(another, net):
    site = another(http=net.client, witness_every=60)
    site.create()
    site.log.decider = Deciding(site.store)
    site.log.start()
    return site


@pytest.fixture
def neighbours(tmp_path, clock, net, ours):
    """Two other sites, whose witnesses watch our log."""
    made = []
    for name in ("jia", "yi"):
        folder = tmp_path / name
        folder.mkdir()
        make_keys(folder)
        site = Site(f"sqlite:///{folder}/site.sqlite", folder, clock, origin=f"{name}.example/log")
        site.create()
        site.log.decider = Deciding(site.store)
        site.log.start()
        for suite in (INTL, SM):
            key = ours.log.verifiers[suite.hash.name].encode()
            decide(site, "audit.witness-log", WitnessContent(keys=(key,)))
        net.apps[f"{name}.example"] = app_of(site)
        made.append(site)
    yield made
    for site in made:
        site.close()


@pytest.fixture
def witnessed(ours, neighbours):
    for suite in (INTL, SM):
        decide(
            ours, "audit.set-quorum", QuorumContent(suite=suite.name, policy=policy(ours, neighbours, suite))
        )
    return ours
