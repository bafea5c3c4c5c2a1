"""A small platform in a temporary directory for the benchmarks: directory, ceremony, one officer."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from authz.directory import DirectoryFile
from ca.ceremony import CeremonyPlan, conduct
from ops.data import DataDirectory
from ops.demo.found import FOLDER
from ops.platform import Platform
from yinxin import collector
from yinxin.act import SYSTEM


@contextmanager
def house(*overrides: str) -> Iterator[Platform]:
    """The platform, with other settings where `overrides` (KEY=VALUE) say so; gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder,
        Platform.open(DataDirectory(Path(folder)), overrides) as platform,
    ):
        platform.authz.directory.load(SYSTEM, DirectoryFile.read(FOLDER / "province.toml"))
        plan = CeremonyPlan.read(FOLDER / "ceremony.toml")
        conduct(platform.ca.ctx, platform.kms, SYSTEM, plan, platform.data.root)
        collector.spare()  # as servers and long commands do
        yield platform
