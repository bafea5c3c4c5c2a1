"""A province small enough to be founded in seconds: ten people, two recipients, both suites, the real ceremony.

It is founded once in a run, whatever its workers, and copied for every test that changes it: `template` is never opened again.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest

from authz.directory import DirectoryFile
from ops.accounts import Account
from ops.data import DataDirectory
from ops.demo.found import directory_file, found
from ops.demo.story import SAMPLE, Outcome, Story
from ops.init import prepare
from ops.platform import INSIDE, Platform, Seams
from tests.support.once import once
from yinxin.client import Client, in_process
from yinxin.crypto import pkcs12
from yinxin.crypto.keys import Identity

PEOPLE = frozenset(
    {
        "demo-officer",
        "demo-deputy",
        "demo-clerk",
        "demo-reviewer",
        "demo-leader",
        "demo-registrar",
        "demo-seal",
        "demo-administrator",
        "demo-auditor",
        "city-jia-registrar",
        "dept-health-registrar",
    }
)
RECIPIENTS = ("city-jia", "dept-health")
KIND = "NOTICE"


def small() -> DirectoryFile:
    """The organs and posts of the demo province, and only these people in office."""
    whole = directory_file()
    kept = tuple(each for each in whole.appointments if each.person in PEOPLE)
    return whole.model_copy(update={"appointments": kept})


def quiet(_text: object) -> None:
    """No progress display."""


def prepared(folder: Path, *overrides: str) -> DataDirectory:
    """A data directory with its configuration, on free ports."""
    data = DataDirectory(folder)
    prepare(data, list(overrides), 0)
    return data


def tell(platform: Platform, file: Path = SAMPLE) -> Outcome:
    """The main job on one file."""
    return Story(platform, file, KIND, quiet, RECIPIENTS).run()


def _founded(folder: Path) -> None:
    with Platform.open(prepared(folder)) as platform:
        found(platform, quiet, small())


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The founded province, to be copied."""
    return once(tmp_path_factory, "province", _founded)


@pytest.fixture(scope="session")
def finished(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The province after the main job; read it, or copy it."""

    def make(folder: Path) -> None:
        shutil.copytree(template, folder)
        with Platform.open(DataDirectory(folder)) as platform:
            tell(platform)

    return once(tmp_path_factory, "finished", make)


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A founded province of the test's own."""
    return Path(shutil.copytree(template, tmp_path / "data"))


@contextmanager
def opened(folder: Path, *overrides: str, seams: Seams | None = None) -> Iterator[Platform]:
    """The platform on a folder; the HSM library is let go at the end, so that the next one may have it."""
    with Platform.open(DataDirectory(folder), overrides, seams) as platform:
        yield platform


@pytest.fixture
def platform(folder: Path) -> Iterator[Platform]:
    """The platform on a founded province of the test's own."""
    with opened(folder) as platform:
        yield platform


def identity(folder: Path, person: str, suite: str = "intl") -> Identity:
    """A person's own key and certificate."""
    account = Account.of(DataDirectory(folder), person, suite)
    return _read(account.file.read_bytes(), account.password())


@lru_cache(maxsize=256)
def _read(file: bytes, password: str) -> Identity:
    """The same file is read once: a password's keys take a tenth of a second, and are shown elsewhere (tests/crypto)."""
    return pkcs12.decode(file, password)


def client(platform: Platform, person: str, suite: str = "intl") -> Client:
    """A client in this process, with the person's own certificate; it does not wait between its tries."""
    return Client(
        INSIDE,
        identity=identity(platform.data.root, person, suite),
        transport=in_process(platform.app),
        clock=platform.clock,
        sleep=lambda _seconds: None,
    )
