"""Two governments, each a whole platform with data of its own."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from exchange.service import Exchange
from tests.laws.province import opened, template

from .sites import Net, Taking, admit, copied, join, settings

__all__ = ["template"]


@dataclass
class Two:
    net: Net
    jia: Exchange
    yi: Exchange
    taking: Taking


@pytest.fixture(autouse=True)
def _quiet():
    logger = logging.getLogger("yinxin")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.fixture(scope="module")
def two(template, tmp_path_factory):
    """Two sites that have admitted each other."""
    folder, net = tmp_path_factory.mktemp("exchange"), Net()
    with ExitStack() as stack:
        made = []
        for site in ("jia.example", "yi.example"):
            platform = stack.enter_context(
                opened(copied(template, folder, site), *settings(site, **{"exchange.inline": "100000"}))
            )
            made.append(join(net, platform))
        jia, yi = made
        admit(jia, yi)
        admit(yi, jia)
        taking = Taking()
        yi.applications["test"] = jia.applications["test"] = taking
        yield Two(net, jia, yi, taking)
