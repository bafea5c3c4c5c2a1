"""Two governments, each a whole platform with data of its own."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from exchange.service import Exchange
from ops.demo.found import found
from tests.laws.province import opened, prepared, quiet, small, template
from tests.support.databases import engines_of
from tests.support.once import once

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine_of_both" in metafunc.fixturenames:
        metafunc.parametrize("engine_of_both", engines_of(metafunc), scope="module")


@pytest.fixture(scope="session")
def on_postgres(postgres, tmp_path_factory):
    """The founded province on PostgreSQL, to be copied: its folder, and the database that goes with it in this worker's server."""

    def make(folder):
        folder.mkdir()
        name = postgres.create_database()
        root = prepared(folder / "data").root
        with opened(root, f'database.url="{postgres.url(name)}"') as platform:
            found(platform, quiet, small())
        (folder / "dump").write_bytes(postgres.dump(name))
        postgres.drop_database(name)

    folder = once(tmp_path_factory, "on-postgres", make)
    name = postgres.restored((folder / "dump").read_bytes())
    yield folder / "data", name
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def two(engine_of_both, request, tmp_path_factory):
    """Two sites that have admitted each other."""
    folder, net = tmp_path_factory.mktemp("exchange"), Net()
    with ExitStack() as stack:
        made = []
        for site in ("jia.example", "yi.example"):
            more = {"exchange.inline": "100000"}
            if engine_of_both == "postgresql":
                server = request.getfixturevalue("postgres")
                model, database = request.getfixturevalue("on_postgres")
                name = server.create_database(database)
                stack.callback(server.drop_database, name)
                more["database.url"] = f'"{server.url(name)}"'
            else:
                model = request.getfixturevalue("template")
            platform = stack.enter_context(opened(copied(model, folder, site), *settings(site, **more)))
            made.append(join(net, platform))
        jia, yi = made
        admit(jia, yi)
        admit(yi, jia)
        taking = Taking()
        yi.applications["test"] = jia.applications["test"] = taking
        yield Two(net, jia, yi, taking)
