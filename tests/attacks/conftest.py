"""A founded province under attack: copied once for each file of attacks, and left as the attacks leave it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.platform import Platform
from tests.laws.province import finished, opened, template

__all__ = ["finished", "template"]


@pytest.fixture(scope="module")
def site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform on a founded province that all attacks of one file share."""
    folder = Path(shutil.copytree(template, tmp_path_factory.mktemp("site") / "data"))
    with opened(folder, "authz.attempts_per_minute=1000") as platform:
        yield platform
