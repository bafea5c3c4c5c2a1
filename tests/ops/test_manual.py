"""The manual's generated pages are those the code would generate now."""

from pathlib import Path

import pytest

from ops.cli import errors, settings

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("name", "page"), [("errors", errors.page), ("settings", settings.page)])
def test_generated_page_is_fresh(name, page):
    kept = (DOCS / f"{name}.md").read_text("utf-8")
    assert kept == page() + "\n", f"run: yinxin {name} > docs/{name}.md"


def test_every_setting_says_what_it_is():
    bare = [line for line in settings.page().splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert bare == []
