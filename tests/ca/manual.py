"""The lines of a manual page, run as an operator would: one shell, in a folder of its own, stopping at the first fault."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_page(page: str, folder: Path, **variables: str) -> str:
    """Run every `sh` block of a page of the manual; what they said."""
    blocks = _BLOCK.findall((ROOT / "docs" / page).read_text("utf-8"))
    assert blocks
    script = "set -eu\n" + "".join(blocks)
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
