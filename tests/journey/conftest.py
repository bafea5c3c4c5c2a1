"""What `./yinxin demo` leaves, made once: the whole miniature province, by the command itself in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.laws.serving import Served
from tests.support.once import once

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str


def yinxin(*words: str | Path, language: str | None = None) -> Said:
    """The command as the launcher starts it."""
    options = ["--lang", language] if language else []
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-m", "ops.cli", *map(str, words), *options],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
    )
    return Said(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Demo:
    """The data directory, and what the demo said."""

    data: Path
    said: Said

    @property
    def artifacts(self) -> dict[str, Path]:
        """By what they are."""
        kinds = {
            ".changed.asice": "changed",
            ".asice": "evidence",
            ".pdf.sm.p7s": "sealed_sm",
            ".pdf": "sealed",
            ".ofd": "sealed_ofd",
        }
        found = {}
        for file in sorted((self.data / "artifacts").iterdir()):
            kind = next(kind for ending, kind in kinds.items() if file.name.endswith(ending))
            found.setdefault(kind, file)
        return found


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`yinxin demo` on an empty directory: run once for all workers, each of which has a copy of what it left."""

    def make(folder: Path) -> None:
        folder.mkdir()
        said = yinxin("demo", "--data", folder / "data", "--port", "0")
        (folder / "said.json").write_text(json.dumps(asdict(said)), "utf-8")

    made = once(tmp_path_factory, "demo", make)
    data = shutil.copytree(made / "data", tmp_path_factory.mktemp("demo") / "data")
    return Demo(Path(data), Said(**json.loads((made / "said.json").read_text("utf-8"))))


@pytest.fixture(scope="session")
def copied(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it, to go on with."""
    assert demo.said.status == 0, demo.said
    return Path(shutil.copytree(demo.data, tmp_path_factory.mktemp("copied") / "data"))


class Up(Served):
    """`yinxin up` itself, on the whole province."""

    def command(self) -> list[str]:
        return [sys.executable, "-I", "-X", "utf8", "-m", "ops.cli", "up", "--data", str(self.folder)]


@pytest.fixture(scope="session")
def served(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo's province, served."""
    assert demo.said.status == 0, demo.said
    folder = Path(shutil.copytree(demo.data, tmp_path_factory.mktemp("served") / "data"))
    with Up(folder) as server:
        yield server
