"""The manual's generated pages are those the code would generate now."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.cli import settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["errors", "settings"])
def test_generated_page_is_fresh(name):
    """In a process of its own: the errors that other tests define are not the house's."""
    command = [sys.executable, "-m", "ops.cli", name]
    page = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    assert (ROOT / "docs" / f"{name}.md").read_bytes() == page, f"run: yinxin {name} > docs/{name}.md"


def test_every_setting_says_what_it_is():
    bare = [line for line in settings.page().splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert bare == []
